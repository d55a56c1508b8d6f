import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.*;
import org.openapitools.client.model.*;

/** What a program does with a Java client of openapi-generator, whichever library it uses. */
public final class Program {
  static void check(boolean ok, String what, Object value) {
    if (!ok) throw new AssertionError(what + ": " + value);
  }

  static File file(byte[] bytes) throws Exception {
    File file = File.createTempFile("hyperslab", ".bin");
    file.deleteOnExit();
    Files.write(file.toPath(), bytes);
    return file;
  }

  public static void main(String[] args) throws Exception {
    ApiClient client = Connect.to(args[0]);
    DatasetsApi datasets = new DatasetsApi(client);
    ReadsApi reads = new ReadsApi(client);
    WritesApi writes = new WritesApi(client);
    StatisticsApi statistics = new StatisticsApi(client);
    JobsApi jobs = new JobsApi(client);

    CreateDataset create = new CreateDataset().name("java").dtype("<f8").shape(List.of(4L, 3L));
    check(datasets.createDataset(create, null, null).getNbytes() == 96, "create", create);
    List<List<Integer>> rows = List.of(List.of(1, 2, 3), List.of(4, 5, 6));
    writes.writeDataJson("java", rows, "0:2", null, null, null, null, null);
    ByteBuffer raw = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN).putDouble(7).putDouble(8).putDouble(9);
    File nine = file(raw.array());
    WriteAnswer written = new WritesApi(Connect.sending(args[0], nine))
        .writeDataRaw("java", nine, "2", null, null, null, null, null, null);
    check(written.getBytes() == 24, "raw", written);

    File npy = reads.readDataNpy("java", null, null, null, null, null, null, null, null, null, null, null);
    new DatasetsApi(Connect.sending(args[0], npy)).importDataset("java-copy", npy, null, null, null, null, null, null, null);
    String json = String.valueOf(reads.readDataJson("java-copy", null, null, null, null, null, null, null, null, null, null, null).getData());
    check(json.replace(".0", "").equals("[[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 0, 0]]"), "json", json);
    byte[] back = Files.readAllBytes(reads.readDataRaw("java", null, null, null, null, null, null, null, null, null, null, null).toPath());
    check(ByteBuffer.wrap(back).order(ByteOrder.LITTLE_ENDIAN).getDouble(64) == 9, "raw", back.length);
    String csv = Files.readString(reads.readDataCsv("java", null, null, null, null, null, null, null, null, null, null, null).toPath());
    check(csv.equals("c0,c1,c2\n1.0,2.0,3.0\n4.0,5.0,6.0\n7.0,8.0,9.0\n0.0,0.0,0.0\n"), "csv", csv);
    byte[] arrow = Files.readAllBytes(reads.readDataArrow("java", null, null, null, null, null, null, null, null, null, null).toPath());
    check(arrow[0] == -1 && arrow[3] == -1 && arrow.length > 96, "arrow", arrow.length);

    Object sum = statistics.getStatistics("java", "sum", null, null, null, null, null, null, null, null, null, null, null,
        null, null, null, null, null).getResults().get("sum");
    check(((Number) sum).doubleValue() == 45, "sum", sum);
    StatisticsQuery query = new StatisticsQuery()
        .ops(List.of(Map.of("quantile", Map.of("q", 0.5)), Map.of("histogram", Map.of("bins", 3))));
    Map<String, Object> found = statistics.queryStatistics("java", query, null, null, null).getResults();
    check(((Number) found.get("quantile")).doubleValue() == 3.5, "quantile", found);
    check(found.get("histogram").toString().replace(".0", "").contains("counts=[5, 3, 4]"), "histogram", found);
    GroupKey key = new GroupKey().column(0L).bins(List.of(0.0, 2.0, 100.0));
    query = new StatisticsQuery().ops(List.of("count")).groupBy(List.of(key));
    check(statistics.queryStatistics("java", query, null, null, null).getGroups().size() == 2, "groups", query);
    StatisticsBatch batch = new StatisticsBatch().queries(List.of(
        new BatchQuery().dataset("java").ops(List.of("max")), new BatchQuery().dataset("nobody").ops(List.of("max"))));
    List<String> lines = Files.readAllLines(statistics.batchStatistics(batch).toPath());
    check(lines.size() == 2 && lines.get(1).contains("unknown_dataset"), "batch", lines);

    Job job = jobs.createJob(new BatchQuery().dataset("java").ops(List.of("mean")), null, null, null);
    while (job.getState().toString().matches("(?i)queued|running")) {
      Thread.sleep(20);
      job = jobs.getJob(job.getId(), null, null);
    }
    check(String.valueOf(job.getResult()).contains("mean=3.75"), "job", job);

    String problem = "";
    try {
      datasets.describeDataset("nobody", null, null, null, null, null, null, null);
    } catch (ApiException error) {
      problem = error.getCode() + " " + error.getResponseBody();
    }
    check(problem.startsWith("404") && problem.contains("\"code\":\"unknown_dataset\""), "problem", problem);
    DatasetList list = datasets.listDatasets(null, null, "huge", null, null, null);
    check(list.getDatasets().get(0).getNbytes() == 3L << 30, "list", list);
    create = new CreateDataset().name("java-far").path("far.bin").format(CreateDataset.FormatEnum.RAW).dtype("<i4")
        .offset(100000004L).shape(List.of(2L));
    Dataset far = datasets.createDataset(create, null, null);
    check(far.getOffset() == 100000004L, "offset", far);
    String data = String.valueOf(reads.readDataJson("java-far", null, null, null, null, null, null, null, null, null, null, null).getData());
    check(data.replace(".0", "").equals("[7, 8]"), "far", data);

    writes.flushDataset("java", null, null, null);
    datasets.forgetDataset("java", "delete", null, null, null);
    System.out.println("sum " + sum + ", batch of " + lines.size() + ", job " + job.getState()
        + ", unknown_dataset, offset " + far.getOffset());
    System.exit(0);
  }
}
