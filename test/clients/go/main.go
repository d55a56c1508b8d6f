// What a program does with the client that oapi-codegen makes.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"example.com/client/hyperslab"
)

func check(ok bool, what string, values ...any) {
	if !ok {
		panic(fmt.Sprintln(append([]any{what}, values...)...))
	}
}

func must[T any](value T, err error) T {
	check(err == nil, "failed", err)
	return value
}

func ptr[T any](value T) *T { return &value }

func main() {
	ctx := context.Background()
	c := must(hyperslab.NewClientWithResponses(os.Args[1]))

	dtype := any("<f8")
	made := must(c.CreateDatasetWithResponse(ctx, nil, hyperslab.CreateDataset{Name: "go", Dtype: &dtype, Shape: &[]int64{4, 3}}))
	check(made.JSON201 != nil && made.JSON201.Nbytes == 96, "create", string(made.Body))
	rows := [][]float64{{1, 2, 3}, {4, 5, 6}}
	wrote := must(c.WriteDataJsonWithResponse(ctx, "go", &hyperslab.WriteDataJsonParams{Slice: ptr("0:2")}, rows))
	check(wrote.JSON200 != nil, "write", string(wrote.Body))
	var raw bytes.Buffer
	binary.Write(&raw, binary.LittleEndian, []float64{7, 8, 9})
	written := must(c.WriteDataRawWithBodyWithResponse(ctx, "go", &hyperslab.WriteDataRawParams{Slice: ptr("2")}, "application/octet-stream", &raw))
	check(written.JSON200 != nil && written.JSON200.Bytes == 24, "raw", string(written.Body))

	npy := must(c.ReadDataNpyWithResponse(ctx, "go", nil))
	copied := must(c.ImportDatasetWithBodyWithResponse(ctx, "go-copy", nil, "application/x-npy", bytes.NewReader(npy.Body)))
	check(copied.JSON201 != nil, "import", string(copied.Body))
	read := must(c.ReadDataJsonWithResponse(ctx, "go-copy", nil))
	check(fmt.Sprint(read.JSON200.Data) == "[[1 2 3] [4 5 6] [7 8 9] [0 0 0]]", "json", read.JSON200.Data)
	check(len(must(c.ReadDataRawWithResponse(ctx, "go", nil)).Body) == 96, "raw")

	csv := must(c.ReadDataCsvWithResponse(ctx, "go", nil)).Body
	check(string(csv) == "c0,c1,c2\n1.0,2.0,3.0\n4.0,5.0,6.0\n7.0,8.0,9.0\n0.0,0.0,0.0\n", "csv", string(csv))
	arrow := must(c.ReadDataArrowWithResponse(ctx, "go", nil)).Body
	check(bytes.HasPrefix(arrow, []byte{255, 255, 255, 255}) && bytes.Contains(arrow, raw.Bytes()[:8]), "arrow", len(arrow))

	sum := must(c.GetStatisticsWithResponse(ctx, "go", &hyperslab.GetStatisticsParams{Ops: ptr("sum")}))
	check(sum.JSON200.Results["sum"] == 45.0, "sum", sum.JSON200.Results)
	quantile := map[string]any{"quantile": map[string]any{"q": 0.5}}
	histogram := map[string]any{"histogram": map[string]any{"bins": 3}}
	found := must(c.QueryStatisticsWithResponse(ctx, "go", nil, hyperslab.StatisticsQuery{Ops: []hyperslab.Operation{quantile, histogram}}))
	check(found.JSON200.Results["quantile"] == 3.5, "quantile", string(found.Body))
	check(strings.Contains(string(found.Body), `"counts":[5,3,4]`), "histogram", string(found.Body))
	keys := []hyperslab.GroupKey{{Column: ptr[any](0), Bins: &[]any{0, 2, 100}}}
	grouped := must(c.QueryStatisticsWithResponse(ctx, "go", nil, hyperslab.StatisticsQuery{Ops: []hyperslab.Operation{"count"}, GroupBy: &keys}))
	check(grouped.JSON200 != nil && len(*grouped.JSON200.Groups) == 2, "groups", string(grouped.Body))
	batch := must(c.BatchStatisticsWithResponse(ctx, hyperslab.StatisticsBatch{Queries: []hyperslab.BatchQuery{
		{Dataset: "go", Ops: []hyperslab.Operation{"max"}}, {Dataset: "nobody", Ops: []hyperslab.Operation{"max"}},
	}}))
	lines := bytes.Split(bytes.TrimSpace(batch.Body), []byte("\n"))
	var first, second hyperslab.BatchLine
	check(json.Unmarshal(lines[0], &first) == nil && json.Unmarshal(lines[1], &second) == nil, "lines", string(batch.Body))
	check((*first.Results)["max"] == 9.0 && string(second.Error.Code) == "unknown_dataset", "batch", string(batch.Body))

	started := must(c.CreateJobWithResponse(ctx, nil, hyperslab.BatchQuery{Dataset: "go", Ops: []hyperslab.Operation{"mean"}}))
	check(started.JSON202 != nil, "job", string(started.Body))
	job := started.JSON202
	for job.State == "queued" || job.State == "running" {
		time.Sleep(20 * time.Millisecond)
		job = must(c.GetJobWithResponse(ctx, job.Id, nil)).JSON200
	}
	check(strings.Contains(fmt.Sprint(job.Result), "mean:3.75"), "result", job.Result)

	absent := must(c.DescribeDatasetWithResponse(ctx, "nobody", nil))
	problem := absent.ApplicationproblemJSON404
	check(problem != nil && string(problem.Code) == "unknown_dataset", "problem", string(absent.Body))
	list := must(c.ListDatasetsWithResponse(ctx, &hyperslab.ListDatasetsParams{Prefix: ptr("huge")}))
	check(*list.JSON200.Datasets[0].Nbytes == 3<<30, "list", string(list.Body))
	whole := any("<i4")
	far := must(c.CreateDatasetWithResponse(ctx, nil, hyperslab.CreateDataset{
		Name: "go-far", Path: ptr("far.bin"), Format: ptr(hyperslab.CreateDatasetFormat("raw")),
		Dtype: &whole, Offset: ptr(int64(100000004)), Shape: &[]int64{2},
	}))
	check(far.JSON201 != nil && *far.JSON201.Offset == 100000004, "offset", string(far.Body))
	check(fmt.Sprint(must(c.ReadDataJsonWithResponse(ctx, "go-far", nil)).JSON200.Data) == "[7 8]", "far")

	check(must(c.FlushDatasetWithResponse(ctx, "go", nil)).JSON200 != nil, "flush")
	gone := must(c.ForgetDatasetWithResponse(ctx, "go", &hyperslab.ForgetDatasetParams{Data: ptr(hyperslab.ForgetDatasetParamsData("delete"))}))
	check(gone.StatusCode() == 204, "delete", string(gone.Body))
	fmt.Printf("sum %v, batch of %d, job %s, %s, offset %d\n", sum.JSON200.Results["sum"], len(lines), job.State, problem.Code, *far.JSON201.Offset)
}
