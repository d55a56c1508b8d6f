import java.io.File;
import java.io.FileNotFoundException;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest.BodyPublishers;
import org.openapitools.client.ApiClient;

/** How this library is told where the service is. */
final class Connect {
  static ApiClient to(String url) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(url);
    return client;
  }

  /** For one upload: the library would write the name of the file as JSON, so an interceptor sends what is in it. */
  static ApiClient sending(String url, File file) {
    return to(url).setRequestInterceptor(request -> {
      try {
        request.method("PUT", BodyPublishers.ofFile(file.toPath()));
      } catch (FileNotFoundException error) {
        throw new UncheckedIOException(error);
      }
    });
  }
}
