/** Every bound of the service, with its unit in the name and its reason beside it. Settings may lower or raise some. */
const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

export const LIMITS = {
  /** numpy's own limit on the rank of an array. */
  rankMax: 64,
  /** Sizes are IEEE doubles in JavaScript: beyond this an offset would no longer be exact. */
  arrayBytesMax: Number.MAX_SAFE_INTEGER,
  /** A slice of 64 parts with two 19-digit bounds and a step each fits easily. */
  sliceTextLengthMax: 8 * KiB,
  /** A .npy header of a plain dtype is about 128 bytes; structured ones reach kilobytes; numpy refuses beyond 10,000 by default. */
  npyHeaderBytesMax: 64 * KiB,
  /** Metadata is small: attrs, dims and query bodies are held and parsed whole. */
  requestBytesMax: 1 * MiB,
  attrsBytesMax: 64 * KiB,
  /** Structures inside structures: numpy's own headers nest a few; recursion over them must not run out of stack. */
  dtypeDepthMax: 16,
  /** A stream is written an item at a time at least, held whole; numpy's own limit is 2 GiB. */
  itemsizeMax: 64 * MiB,
  /** Items of more bytes are read and written as bytes: a piece of work holds several items. */
  itemBytesMax: 64 * KiB,
  dimNameLengthMax: 128,
  /** A JSON body of values is parsed in slices on the event loop. */
  jsonBodyBytesMax: 4 * MiB,
  /** What elements of a JSON body may become: few bytes of text may be an item of many. */
  jsonBlockBytesMax: 64 * MiB,
  /** The text of a fill that a description tells: a list may have a thousand of them. */
  fillTextMax: 4 * KiB,
  /** A JSON answer is held whole for its Content-Length: about 10 bytes an element. */
  jsonElementsMax: 256 * KiB,
  /** Lists of a JSON answer for each element that it may have: axes of length 1 are brackets and nothing else. */
  jsonListsPerElementMax: 4,
  /** Memory of a JSON answer for each element that it may have: text is as long as its dtype allows, before it is read. */
  jsonBytesPerElementMax: 512,
  /** Elements encoded or decoded before the event loop gets a turn: under 10 ms on a slow machine. */
  jsonElementsPerTurn: 4 * KiB,
  /** Numbers that a worker writes as JSON in one task: one or two milliseconds, and a megabyte of text at most. */
  jsonElementsPerTask: 32 * KiB,
  /** Such tasks of one answer at a time. */
  jsonTasksMax: 4,
  /** An answer that is encoded is held whole up to here, for its length and for ranges; beyond it is sent as it comes. */
  wholeBytesMax: 64 * MiB,
  /** A shorter answer fits into one packet as it is: a coding saves nothing that anybody waits for. */
  codedBytesMin: 1 * KiB,
  /** Up to here an answer is coded on the event loop, a third of a millisecond: half of what handing it over costs. */
  codedNowBytesMax: 16 * KiB,
  /** What all streams of codings may hold, as a share of the memory of requests: answers go without, rather than wait. */
  codingShare: 1 / 8,
  /** What is coded in one turn of zlib's threads: four milliseconds. */
  codedSliceBytes: 256 * KiB,
  /** Columns without names that Arrow has one by one: readers have some microseconds for each of them in every batch. */
  arrowColumnsMax: 1000,
  /** Rows of Parquet that are written together: readers take a group at a time. More of them where columns are many. */
  parquetGroupBytes: 4 * MiB,
  parquetGroupBytesMax: 16 * MiB,
  /** What a chunk of one column should have, so that what is said of it is little. */
  parquetChunkBytes: 16 * KiB,
  /** What is said of all chunks together: readers hold and parse it before any row. */
  parquetFooterBytesMax: 64 * MiB,
  /** A body of rows is read a piece at a time: ten milliseconds of a worker. */
  decodePieceBytes: 512 * KiB,
  /** One row of such a text, and its cells: it is held whole. */
  tableRowBytesMax: 16 * MiB,
  tableColumnsMax: 1_000_000,
  /** What describes a batch of Arrow: some hundred bytes a column. */
  arrowMessageBytesMax: 16 * MiB,
  /** Texts of one dictionary of Arrow are held by who reads the columns, and so many dictionaries are remembered. */
  arrowDictionaryBytesMax: 16 * MiB,
  arrowDictionariesMax: 4096,
  /** What is said of the members of a zip: some ten thousand of them. */
  zipDirectoryBytesMax: 512 * KiB,
  /** The index of a container whose members are served: some hundred thousand of them. It is held while it is read. */
  containerIndexBytesMax: 16 * MiB,
  /** The longest name that a zip can say. */
  memberNameLengthMax: 64 * KiB,
  /** What is unpacked of a member at a time. */
  npzPieceBytes: 256 * KiB,
  /** Pixels of a picture; of a larger one blocks become pixels. Screens have fewer. */
  picturePixelsMax: 4 * MiB,
  /** What graphics cards show in one piece. */
  pictureSideMax: 8192,
  /** A committed write is held whole before it is applied, so that a cut body changes nothing. */
  commitBytesMax: 64 * MiB,
  /** Slices of one atomic batch. */
  batchWritesMax: 10_000,
  /** Commits of one file that share a sync, and the bytes they may bring together (one alone may have more). */
  batchCommitsMax: 256,
  batchBytesMax: 16 * MiB,
  /** Commits of one file that wait for their turn; their bodies are counted elsewhere. */
  commitsWaitingMax: 4096,
  /** What a commit may cost its file, pages and calls included, where its bytes are few but far apart. */
  commitCostBytesMax: 1 * GiB,
  /** Pieces of a body whose elements lie far apart in the file. */
  scatteredPieceBytes: 16 * MiB,
  /** What one task of a worker writes of a strided selection, by its cost. */
  scatterBytesMax: 4 * MiB,
  /** A journal that holds more is emptied into its file: what a recovery has to read stays below this and one batch. */
  journalBytesMax: 32 * MiB,
  /** The same for what it costs to write: a fill of any size is a few bytes in the journal. */
  replayBytesMax: 64 * MiB,
  /** The same for all files together: a recovery goes through one after the other. */
  replayBytesTotalMax: 256 * MiB,
  /** What a file has to write to the disk goes there in slices, between which the syncs of others have their turn. */
  writeOutBytesMax: 4 * MiB,
  /** Time that a stop takes to bring files up to date; what is left is replayed by the next start. */
  filesClosedMsMax: 1500,
  /** Journals grow in steps of up to so much, so that few syncs have to record a new size. */
  journalStepBytesMax: 1 * MiB,
  /** A file that was not written for so long gets its journal emptied. */
  checkpointIdleMs: 1000,
  /** All memory that requests hold at once: bodies, whole answers, cells of statistics. Less in a small container. */
  memoryBytes: 512 * MiB,
  /** What does not fit into the memory now waits so long, and so many requests may wait, before 503. */
  budgetWaitMs: 5000,
  budgetWaitersMax: 256,
  /** Requests in line for one file; the next are answered 503. */
  lockWaitersMax: 1024,
  /** After so long a slice leaves what it has not gathered to another task: what is in line waits for one part more. */
  taskMsMax: 16,
  /** What is gathered between two looks at the clock, by the pages that it costs. */
  gatherPartBytesMax: 2 * MiB,
  /** Interactive tasks in line for the workers; the next are answered 503. */
  tasksQueuedMax: 4096,
  /** A statistic of so many bytes is read in a fraction of a second: it goes before longer ones. */
  interactiveBytesMax: 64 * MiB,
  /** Tasks that go in a row before one of a long scan: what a crowd of small questions leaves to it. */
  interactiveTurnsMax: 8,
  /** Members of parsed JSON bodies lie at most so deep, so that no recursion over them runs out of stack. */
  jsonDepthMax: 64,
  /** Members of one object in a JSON body: more than attrs of 64 KB can have. */
  jsonMembersMax: 16_384,
  /** Lists and objects in such a body: V8 moves each of them when it collects garbage. */
  jsonContainersMax: 65_536,
  /** Digits of an integer in JSON: what Python reads by default; the cost of more grows with their square. */
  integerDigitsMax: 4300,
  /** What a text of one JSON value takes: digits, a comma, and its share of brackets. */
  jsonValueBytes: 32,
  /** A cell of a statistic while it runs, its partials and its text included. */
  cellBytes: 160,
  /** A client has to take, or send, so many bytes a second over the window: a pause is fine, a stall is not. */
  rateBytesMin: 1024,
  stallSeconds: 30,
  /** Each costs about 20 KiB. */
  connectionsMax: 2048,
  /** One more connection for so many of them: where all are at work, it is asked how the service is, and no more. */
  connectionsPerSpare: 32,
  /** Requests that wait for the answers to earlier ones of their connection: one with more is cut where too many wait in all. */
  pipelinedMax: 16,
  pipelinedTotalMax: 8192,
  /** What is read and dropped of a refused body before its connection is given up. */
  drainBytesMax: 64 * MiB,
  drainMsMax: 2000,
  /** Up to here a read is answered on the event loop when its bytes are known to be resident. */
  inlineReadBytesMax: 64 * KiB,
  /** Bytes of both sides of a conversion that is made on the event loop: a millisecond or two of the slowest kinds. */
  inlineConvertBytesMax: 128 * KiB,
  /** An item that is converted: an answer holds four of them. */
  convertItemBytesMax: 16 * MiB,
  /** The distance a read on the event loop may cover; its pages are checked for residency first. */
  inlineSpanBytesMax: 1 * MiB,
  /** One piece of a streamed answer; a response holds at most three. */
  pieceBytesMax: 1 * MiB,
  /** The same where neighbours of the answer lie far apart in the file: each run that is read has four times the bytes. */
  transposedPieceBytesMax: 4 * MiB,
  /** Old bytes kept for the slow readers of one file; past it the oldest reader is cut. */
  preImageBytesMax: 128 * MiB,
  /** The same for all files together. */
  preImageBytesTotalMax: 256 * MiB,
  /** Ranges of old bytes kept for one reader: small writes cost more than their bytes. */
  preImageRangesMax: 8 * KiB,
  /** Ranges that one write is saved in; with more, the gaps between them are saved too. */
  preImageRunsMax: KiB,
  /** A gap in a write that is saved with it: a read of its own would cost more. */
  preImageGapBytesMax: 4 * KiB,
  /** Saved ranges that go to one task of a worker; more of them are parted among several tasks: a millisecond of sending. */
  patchesPerTaskMax: KiB,
  /** Saved ranges up to here are copied into one buffer on their way to a worker. */
  patchBytesPackedMax: 4 * KiB,
  /** Pages that mode c takes from the system at a time: a megabyte, of which only what is written becomes memory. */
  arenaPages: 256,
  /** Memory that datasets of mode c may hold together, unless a setting says otherwise, as a share of that of requests. */
  privateShare: 1 / 4,
  /** Bytes of a write, by its pages, that go into private memory in one step of the event loop. */
  privateStepBytes: 256 * KiB,
  /** A piece for a client that has not yet shown that it reads; it holds one. */
  firstPieceBytes: 256 * KiB,
  /** What a kernel takes in for a client that does not read at all is less than this. */
  provenBytes: 8 * MiB,
  /** The stretch of a file that is populated and touched in one step. */
  spanBytesMax: 8 * MiB,
  /** One mapped window; windows overlap by two spans so that any span lies in one of them. */
  windowBytesMax: 1 * GiB,
  /** What one task may be lent of the windows of a file: where elements lie further apart, they are read by position. */
  lentBytesMax: 16 * GiB,
  /** Mapped windows of all files: past it idle files are closed, past twice it nothing more is mapped (vm.max_map_count). */
  windowsMax: 1024,
  /** Files kept open, where the process may have as many; beyond it the one idle for longest is closed. */
  openFilesMax: 512,
  /** A body of a selection: a list of a million integers is some megabytes of JSON. */
  selectBodyBytesMax: 64 * MiB,
  /** Entries that lists, masks and filters of one call choose one by one, 8 bytes each and as many again on the way. */
  selectEntriesMax: 16 * 1024 * KiB,
  /** Items of an index: as many axes as an array may have, and as many new ones between them. */
  indexItemsMax: 130,
  /** Reads that one call answers together. */
  readsMax: 1000,
  /** Runs that are read one by one on the event loop: a microsecond and a half each. */
  inlineRunsMax: 256,
  /** Times of files move in steps of a few milliseconds: one as young as this does not yet tell two writes apart. */
  youngFileMs: 50,
  /** How long a file that is to be opened waits for another to be closed, and how often it looks for one. */
  openWaitMs: 2000,
  openRetryMs: 10,
  /** Generations reserved on disk at a time: one small fsync per so many writes. */
  generationsPerReservation: 1024,
  /** Time that a stop takes to write down exact generations: a millisecond each, and there may be 100,000. */
  countersClosedMsMax: 2000,
  /** A unit of work of a statistic: about a million values, so that small writes leave most of them as they were. */
  chunkBytesMax: 4 * MiB,
  /** From the first to the last byte of a chunk: where few of them are its elements', it ends sooner. */
  chunkSpanBytesMax: 256 * MiB,
  /** A piece of a chunk that is converted and reduced while it is in the cache. */
  tileBytesMax: 1 * MiB,
  tileSpanBytesMax: 16 * MiB,
  /** What kernels of one worker work in: tiles, tables, results. Memory that no task has touched costs nothing. */
  kernelScratchBytes: 64 * MiB,
  /** Cells of a statistic's answer (the product of the axes that remain), about 80 bytes each while it runs. */
  cellsMax: 1024 * KiB,
  /** Memory that the partials of one task are put into, those of its first chunk aside, and what is kept for the next. */
  partialBufferBytesMax: 1 * MiB,
  partialBuffersBytes: 16 * MiB,
  /** Cells that are finished on the event loop; more go to a worker. */
  cellsPerTurn: 16 * KiB,
  /** Cells of one chunk, so that its partial stays small against its data. */
  chunkCellsMax: 16 * KiB,
  /** Answers and partials of statistics that are kept for the next question about the same data. */
  statisticsCacheBytes: 64 * MiB,
  /** The text of an answer is kept with it where it is no longer: writing it takes a millisecond. */
  keptTextBytesMax: 64 * KiB,
  /** A statistic that writes kept from ending holds them off for so long, then gives up. */
  statisticLockMsMax: 1000,
  /** Changes noted per file while a statistic runs; past it a change counts as one of everything. */
  changesMax: 4 * KiB,
  /** Ranges that one change is noted in, and the gap that is noted with it: a chunk is megabytes. */
  changeRunsMax: 16,
  changeGapBytesMax: 64 * KiB,
  /** Quantiles of one query: each is two elements, looked for in as many passes as their count asks for. */
  quantilesMax: 1000,
  /** Keys of the cells that a worker gathers to find their quantiles; larger cells are searched in rounds. */
  cellBytesGatheredMax: 16 * MiB,
  /** A single cell of more elements is searched by all workers instead of gathered by one. */
  soleCellElementsMax: 32 * KiB,
  /** Tables of 65,536 counters that a round of a search counts into: 4 MiB in each worker, and on the way back. */
  searchTablesMax: 16,
  /** Elements that a search collects and sorts: a few milliseconds. */
  searchCollectedMax: 64 * KiB,
  /**
   * Columns of one covariance or correlation matrix: the products of all pairs, 1 MiB, or 4 MiB of complex numbers, are what
   * each chunk answers with.
   */
  covarianceColumnsMax: 512,
  /** Bins of one histogram: their edges are made on the event loop. JSON answers have room for half as many. */
  histogramBinsMax: 256 * KiB,
  /** Distinct elements of one answer: as many as JSON has room for with their counts. */
  uniqueMax: 128 * KiB,
  /** Of distinct texts as an array, where each is as long as its dtype allows. */
  distinctTextBytesMax: 32 * MiB,
  /** A filter: its parts, how deep they nest, and the values of one list. */
  filterNodesMax: 256,
  filterDepthMax: 16,
  filterListMax: 64 * KiB,
  /** Datasets that filters and keys of one query read beside its own; each is a file kept open. */
  alignedDatasetsMax: 16,
  /** Datasets whose values a filter is matched with, those inside others included; each is read before the query. */
  joinsMax: 8,
  /** Address space of one worker's kernels: what WebAssembly can have. Only what is touched is memory. */
  kernelMemoryBytes: 4 * GiB,
  /** Files mapped into it, a window at a time; windows overlap by a tile, so that every tile lies in one of them. */
  keptWindowBytes: 256 * MiB,
  /** A window that was asked for so recently is not given up for another: reading costs less than taking turns. */
  keptWindowMs: 10_000,
  /** Pages that were in memory so recently are taken to be there still. */
  residencyKnownMs: 1000,
  /** Windows that are remembered as asked for once. */
  windowsSeenMax: 4 * KiB,
  /** Distinct values of all of them: a worker holds 16 bytes for each. */
  joinValuesMax: 512 * KiB,
  /** Different texts that rows of a query are told apart by, and their bytes: each worker has them at hand. */
  textsMax: 256 * KiB,
  textBytesMax: 8 * MiB,
  /** Bytes of one text of a column that is compared: some hundred rows of it are looked at together. */
  textItemBytesMax: 64 * KiB,
  /** Keys of a group, and edges of the bins of a key. */
  groupKeysMax: 8,
  binEdgesMax: 64 * KiB,
  /** Groups of one answer: some hundred bytes each while they are merged. */
  groupsMax: 1_000_000,
  /** Elements of a chunk whose rows are grouped: it may find as many groups, which are sent and merged one by one. */
  groupedElementsMax: 256 * KiB,
  /** So many times as many where it does not answer with groups of its own: there are fewer answers to be merged. */
  groupSearchChunks: 8,
  /** Queries in one batch. */
  batchQueriesMax: 1000,
  /** Queries of one batch under way at once: enough to keep the workers busy between two of them. */
  batchQueriesRunning: 4,
  /** What the queries of one batch may hold together, as a share of all memory; one by itself may hold more. */
  batchAheadShare: 1 / 8,
  /** Large statistics whose clients wait for them: each holds its cells and a few tasks. */
  statisticsRunningMax: 32,
  /** Jobs that run at once: they share the workers, so more of them only end later. */
  jobsRunningMax: 4,
  /** Jobs in line for each caller, and for all of them together, with their inputs. */
  jobsQueuedMax: 100,
  jobsQueuedTotalMax: 1000,
  jobInputBytesMax: 16 * MiB,
  /** Jobs that have ended are kept for so long, so many of them, with so much of results, the last ones. */
  jobResultSeconds: 3600,
  jobsKeptMax: 1000,
  jobResultBytesMax: 64 * MiB,
  /** The lines of a batch that runs as a job. */
  jobBatchBytesMax: 16 * MiB,
  /** How long an asynchronous call may ask to wait for its job: shorter than the patience of proxies. */
  jobWaitSecondsMax: 50,
  /** Jobs on one page of the list. */
  pageJobsMax: 1000,
  /** Progress events of a job come at most so often; a comment keeps a quiet stream open. */
  eventGapMs: 250,
  heartbeatMs: 15_000,
  /**
   * Who follows a dataset is told at most so often, which is at most ten times in any second; of several datasets in one
   * stream so many go out at a time that the last of a burst is told within a second.
   */
  changeGapMs: 105,
  changeGapsMax: 9,
  followedNamesMax: 100,
  /** Files that other programs may write are looked at so often while somebody follows them, so many at a time. */
  followedLookMs: 2000,
  followedLooksMax: 8,
  followedNamesPerTurn: 256,
  /** Seconds that a description waits for a change: proxies cut what is quiet for a minute. */
  waitSecondsMax: 50,
  /** The share of all connections that followers take at most, so that ordinary calls go on. */
  followersShare: 0.5,
  /** A chunk of the Zarr view: large enough that requests cost less than bytes, small enough to be read for a few of them. */
  zarrChunkBytes: 1 * MiB,
  /** The same where attrs.chunks says its shape: clients hold it whole, several at a time. */
  zarrChunkBytesMax: 64 * MiB,
  /** Metadata of a Zarr group up to here has a length and an entity tag; more is sent as it is written. */
  zarrMetadataHeldBytesMax: 64 * MiB,
  /** Datasets on one page of the list. */
  pageDatasetsMax: 1000,
  /** Files that make one array. */
  partsMax: 100_000,
  datasetsMax: 100_000,
  /** Files and folders inside served folders that are known: about a kilobyte each. */
  folderFilesMax: 500_000,
  /** Arrays of one container in a served folder. */
  folderMembersMax: 10_000,
  /** Datasets of such files that are kept made, those that were asked for last: a few kilobytes each. */
  folderDatasetsMade: 4096,
  /** A description in JSON beside a file. */
  folderDescriptionBytesMax: 1 * MiB,
  /** Folders that are looked through, and files whose arrays are looked for, at a time. */
  foldersScannedMax: 4,
  folderFilesReadMax: 8,
  /** Served folders are asked so often whether they have changed, beside what the kernel tells of them. */
  folderSweepMs: 3000,
  /** What changes together is looked at together. */
  folderSettleMs: 30,
  /** How long a call waits for the first look through the served folders. */
  folderWaitMsMax: 30_000,
  /** Files that lists look at, at a time, where they are asked to: a share of the threads that wait for the disk. */
  filesLookedAtMax: 8,
  /** Names that a list of troubles has, beside their number. */
  troublesShownMax: 100,
} as const;
