import java.io.File;
import org.openapitools.client.ApiClient;

/** How this library is told where the service is. */
final class Connect {
  static ApiClient to(String url) {
    return new ApiClient().setBasePath(url);
  }

  /** For one upload. */
  static ApiClient sending(String url, File file) {
    return to(url);
  }
}
