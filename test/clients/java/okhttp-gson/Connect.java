import org.openapitools.client.ApiClient;

/** How this library is told where the service is. */
final class Connect {
  static ApiClient to(String url) {
    return new ApiClient().setBasePath(url);
  }
}
