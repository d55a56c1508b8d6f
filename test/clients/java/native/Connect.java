import org.openapitools.client.ApiClient;

/** How this library is told where the service is. */
final class Connect {
  static ApiClient to(String url) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(url);
    return client;
  }
}
