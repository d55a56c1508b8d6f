"""What a program does with the Python client of openapi-generator."""

import array
import json
import sys
import time

import hyperslab_client as hyperslab
from hyperslab_client.exceptions import ApiException

client = hyperslab.ApiClient(hyperslab.Configuration(host=sys.argv[1]))
datasets = hyperslab.DatasetsApi(client)
reads = hyperslab.ReadsApi(client)
writes = hyperslab.WritesApi(client)
statistics = hyperslab.StatisticsApi(client)
jobs = hyperslab.JobsApi(client)

made = datasets.create_dataset(hyperslab.CreateDataset(name="pg", dtype="<f8", shape=[4, 3]))
assert made.nbytes == 96
rows = [[1, 2, 3], [4, 5, 6]]
writes.write_data_json("pg", rows, slice="0:2")
assert writes.write_data_raw("pg", array.array("d", [7, 8, 9]).tobytes(), slice="2").bytes == 24

npy = bytes(reads.read_data_npy("pg"))
datasets.import_dataset("pg-copy", npy)
assert reads.read_data_json("pg-copy").data == [*rows, [7, 8, 9], [0, 0, 0]]
assert array.array("d", bytes(reads.read_data_raw("pg")))[8] == 9
csv = bytes(reads.read_data_csv("pg"))
assert csv == b"c0,c1,c2\n1.0,2.0,3.0\n4.0,5.0,6.0\n7.0,8.0,9.0\n0.0,0.0,0.0\n", csv
arrow = bytes(reads.read_data_arrow("pg"))
assert arrow.startswith(b"\xff\xff\xff\xff") and array.array("d", [2, 5, 8, 0]).tobytes() in arrow, len(arrow)

total = statistics.get_statistics("pg", ops="sum").results["sum"]
assert total == 45
query = hyperslab.StatisticsQuery(ops=[{"quantile": {"q": 0.5}}, {"histogram": {"bins": 3}}])
found = statistics.query_statistics("pg", query).results
assert found["quantile"] == 3.5 and found["histogram"]["counts"] == [5, 3, 4], found
query = hyperslab.StatisticsQuery(ops=["count"], group_by=[hyperslab.GroupKey(column=0, bins=[0, 2, 100])])
assert len(statistics.query_statistics("pg", query).groups) == 2
queries = [hyperslab.BatchQuery(dataset=name, ops=["max"]) for name in ("pg", "nobody")]
answer = statistics.batch_statistics(hyperslab.StatisticsBatch(queries=queries))
lines = [json.loads(line) for line in bytes(answer).splitlines()]
assert lines[0]["results"]["max"] == 9 and lines[1]["error"]["code"] == "unknown_dataset", lines

job = jobs.create_job(hyperslab.BatchQuery(dataset="pg", ops=["mean"]))
while job.state in ("queued", "running"):
    time.sleep(0.02)
    job = jobs.get_job(job.id)
assert job.result["results"]["mean"] == 3.75

try:
    datasets.describe_dataset("nobody")
    raise AssertionError("there is nobody")
except ApiException as error:
    code = error.data.code
assert code == "unknown_dataset"
assert datasets.list_datasets(prefix="huge").datasets[0].nbytes == 3 * 2**30
far = datasets.create_dataset(
    hyperslab.CreateDataset(name="pg-far", path="far.bin", format="raw", dtype="<i4", offset=100000004, shape=[2])
)
assert far.offset == 100000004
assert reads.read_data_json("pg-far").data == [7, 8]

writes.flush_dataset("pg")
assert datasets.forget_dataset_with_http_info("pg", data="delete").status_code == 204
print(f"sum {total}, batch of {len(lines)}, job {job.state}, {code}, offset {far.offset}")
