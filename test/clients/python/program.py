"""What a program does with the client that openapi-python-client makes."""

import array
import io
import json
import sys
import time

import pyarrow.ipc
from hyperslab_client import Client
from hyperslab_client.api.datasets import create_dataset, describe_dataset, forget_dataset, import_dataset, list_datasets
from hyperslab_client.api.jobs import create_job, get_job
from hyperslab_client.api.reads import read_data_arrow, read_data_csv, read_data_json, read_data_npy, read_data_raw
from hyperslab_client.api.statistics import batch_statistics, get_statistics, query_statistics
from hyperslab_client.api.writes import flush_dataset, write_data_json, write_data_raw
from hyperslab_client.models import BatchQuery, CreateDataset, CreateDatasetFormat, ForgetDatasetData
from hyperslab_client.models import GroupKey, Problem, StatisticsBatch, StatisticsQuery
from hyperslab_client.types import File

client = Client(base_url=sys.argv[1])


def sure(answer):
    assert answer is not None and not isinstance(answer, Problem), answer
    return answer


made = sure(create_dataset.sync(client=client, body=CreateDataset(name="py", dtype="<f8", shape=[4, 3])))
assert made.nbytes == 96
rows = [[1, 2, 3], [4, 5, 6]]
sure(write_data_json.sync("py", client=client, body=rows, slice_="0:2"))
raw = File(payload=io.BytesIO(array.array("d", [7, 8, 9]).tobytes()))
assert sure(write_data_raw.sync("py", client=client, body=raw, slice_="2")).bytes_ == 24

# The library passes over answers of application/x-npy; their bytes are there.
npy = read_data_npy.sync_detailed("py", client=client).content
assert npy.startswith(b"\x93NUMPY")
sure(import_dataset.sync("py-copy", client=client, body=File(payload=io.BytesIO(npy))))
assert sure(read_data_json.sync("py-copy", client=client)).data == [*rows, [7, 8, 9], [0, 0, 0]]
assert array.array("d", sure(read_data_raw.sync("py", client=client)).payload.read())[8] == 9
csv = sure(read_data_csv.sync("py", client=client)).payload.read()
assert csv == b"c0,c1,c2\n1.0,2.0,3.0\n4.0,5.0,6.0\n7.0,8.0,9.0\n0.0,0.0,0.0\n", csv
arrow = pyarrow.ipc.open_stream(read_data_arrow.sync_detailed("py", client=client).content).read_all()
assert arrow["c1"].to_pylist() == [2, 5, 8, 0], arrow

total = sure(get_statistics.sync("py", client=client, ops="sum")).results["sum"]
assert total == 45
query = StatisticsQuery(ops=[{"quantile": {"q": 0.5}}, {"histogram": {"bins": 3}}])
found = sure(query_statistics.sync("py", client=client, body=query)).results
assert found["quantile"] == 3.5 and found["histogram"]["counts"] == [5, 3, 4], found
query = StatisticsQuery(ops=["count"], group_by=[GroupKey(column=0, bins=[0, 2, 100])])
assert len(sure(query_statistics.sync("py", client=client, body=query)).groups) == 2
queries = [BatchQuery(dataset=name, ops=["max"]) for name in ("py", "nobody")]
answer = batch_statistics.sync_detailed(client=client, body=StatisticsBatch(queries=queries))
lines = [json.loads(line) for line in answer.content.splitlines()]
assert lines[0]["results"]["max"] == 9 and lines[1]["error"]["code"] == "unknown_dataset", lines

job = sure(create_job.sync(client=client, body=BatchQuery(dataset="py", ops=["mean"])))
while job.state in ("queued", "running"):
    time.sleep(0.02)
    job = sure(get_job.sync(job.id, client=client))
assert job.result["results"]["mean"] == 3.75

problem = describe_dataset.sync("nobody", client=client)
assert isinstance(problem, Problem) and problem.code == "unknown_dataset", problem
assert sure(list_datasets.sync(client=client, prefix="huge")).datasets[0].nbytes == 3 * 2**30
body = CreateDataset(
    name="py-far", path="far.bin", format_=CreateDatasetFormat.RAW, dtype="<i4", offset=100000004, shape=[2]
)
far = sure(create_dataset.sync(client=client, body=body))
assert far.offset == 100000004
assert sure(read_data_json.sync("py-far", client=client)).data == [7, 8]

sure(flush_dataset.sync("py", client=client))
assert forget_dataset.sync_detailed("py", client=client, data=ForgetDatasetData.DELETE).status_code == 204
print(f"sum {total}, batch of {len(lines)}, job {job.state}, {problem.code}, offset {far.offset}")
