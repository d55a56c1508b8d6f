/**
 * Every way a request can fail, as one table by the code that clients branch on: its status, its title, what the caller
 * does about it, and after how many seconds a call may be repeated where waiting helps. The sentence with the values is
 * written where the fault is found. docs/errors.md is made of this table.
 */
interface Row {
  readonly status: number;
  readonly title: string;
  /** A sentence for the caller, true of every cause that the code has. */
  readonly remedy: string;
  /** `Retry-After`; `computed` where the fault itself says it. Absent where repeating the call changes nothing. */
  readonly retryAfterSeconds?: number | 'computed';
}

function table<const Code extends string>(rows: Record<Code, Row>): Readonly<Record<Code, Row>> {
  return rows;
}

export const ERRORS = table({
  // The request cannot be read.
  bad_request: {
    status: 400,
    title: 'The request does not match the API description',
    remedy: 'Change what the message names; /docs on the service shows what each call takes.',
  },
  bad_slice: {
    status: 400,
    title: 'The slice is not numpy basic indexing',
    remedy: 'Write what stands inside the brackets in numpy, such as 0:10,:,-1, and percent-encode it in a URL.',
  },
  bad_json: {
    status: 400,
    title: 'The body is not a JSON array of values',
    remedy: 'Send a bare value or nested lists, as json.dumps(array.tolist()) writes them.',
  },
  bad_npy: {
    status: 400,
    title: 'The body or file is not a readable .npy',
    remedy: 'Write it anew with np.save, or register bytes without a header as raw.',
  },
  bad_table: {
    status: 400,
    title: 'The body is no table of its format',
    remedy: 'Mend the line or part that the message names; csv is read as RFC 4180 has it, ndjson a value a line.',
  },
  bad_name: {
    status: 400,
    title: 'The dataset name is not allowed',
    remedy: 'Choose another name, in ASCII letters, digits, dots, hyphens and underscores.',
  },
  // Who may do what.
  unauthenticated: {
    status: 401,
    title: 'The call needs credentials that hold',
    remedy: 'Send a key or a token that holds, as "Authorization: Bearer <key>"; whoever runs the service makes keys.',
  },
  forbidden: {
    status: 403,
    title: 'The credentials do not allow this',
    remedy: 'Use a key with the scope, and for the datasets, that the message names.',
  },
  forbidden_host: {
    status: 421,
    title: 'The Host header names another service',
    remedy: 'Call the service by a name that it knows, or let whoever runs it add the name.',
  },
  forbidden_origin: {
    status: 403,
    title: 'A page of another site may not do this',
    remedy: 'Let whoever runs the service allow the origin of the page.',
  },
  read_only: {
    status: 403,
    title: 'The dataset is read-only',
    remedy: 'Set mode r+ with PATCH, if the data are to be changed.',
  },
  copy_on_write: {
    status: 403,
    title: 'The dataset is written in memory alone',
    remedy: 'Read what is to last, and write it to a dataset of mode r+.',
  },
  path_forbidden: {
    status: 403,
    title: 'The path is outside the folders that may be served',
    remedy: 'Move the file into a served folder, or let whoever runs the service add its folder.',
  },
  file_denied: {
    status: 403,
    title: 'The user that the service runs as may not open the file',
    remedy: 'Let whoever owns the file give that user the right to it, or use mode r where reading is enough.',
  },
  not_owned: {
    status: 403,
    title: 'The file was not made by this service',
    remedy: 'Forget the dataset with data=keep, and delete the file by other means.',
  },
  // Nothing there.
  not_found: {
    status: 404,
    title: 'No such resource',
    remedy: 'Compare the path with those at /docs.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The path takes other methods',
    remedy: 'Use one of the methods in the Allow header.',
  },
  unknown_dataset: {
    status: 404,
    title: 'No dataset has this name',
    remedy: 'Ask GET /v1/datasets for the names.',
  },
  unknown_job: {
    status: 404,
    title: 'No job has this id',
    remedy: 'Ask GET /v1/jobs for the ids; fetch results before they expire.',
  },
  file_not_found: {
    status: 404,
    title: 'No such file under the served folders',
    remedy: 'Give a path that is relative to a served folder, or absolute and inside one.',
  },
  // Negotiation.
  not_acceptable: {
    status: 406,
    title: 'None of the formats asked for is available',
    remedy: 'Ask for one of the formats that the message names.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body has a media type that this call does not take',
    remedy: 'Send the Content-Type that the message names, and no Content-Encoding.',
  },
  range_not_satisfiable: {
    status: 416,
    title: 'The byte range lies outside the answer',
    remedy: 'Ask for bytes below the size in the Content-Range header.',
  },
  expectation_failed: {
    status: 417,
    title: 'The service does not do what the header Expect asks for',
    remedy: 'Leave the Expect header out, or send "Expect: 100-continue".',
  },
  // Conflicts.
  exists: {
    status: 409,
    title: 'The name or file is taken',
    remedy: 'Choose another name, or say that the old array is to be replaced.',
  },
  file_in_use: {
    status: 409,
    title: 'The file is already registered for writing',
    remedy: 'Use the dataset that has the file, or forget it first.',
  },
  moved: {
    status: 409,
    title: 'The array has another shape than the request expects',
    remedy: 'Look at the shape that the answer names, and repeat the request where it still holds.',
  },
  not_copy_on_write: {
    status: 409,
    title: 'The dataset holds nothing that can be discarded',
    remedy: 'Only what was written to a dataset of mode c can be taken back.',
  },
  mode_fixed: {
    status: 409,
    title: 'The mode of the dataset cannot become this one',
    remedy: 'Register the file once more, under another name, with the mode that is wanted.',
  },
  file_changed: {
    status: 409,
    title: 'The file was changed underneath the service',
    remedy: 'Repeat the call to get what is there now, or put the file back where the message says that it is gone.',
  },
  name_clash: {
    status: 409,
    title: 'Two files of served folders have one name',
    remedy: 'Rename one of the files that the message names.',
  },
  from_folder: {
    status: 409,
    title: 'The dataset is a file of a served folder',
    remedy: 'Change, rename or delete the file itself; the dataset follows it.',
  },
  bytes_behind: {
    status: 409,
    title: 'Bytes stand behind the array where it would grow',
    remedy: 'Find out whose they are: cut the file off at the end of the array, or import the array.',
  },
  generation_moved: {
    status: 412,
    title: 'The state that the request asks for is not the one that stands',
    remedy: 'Read the dataset again, and repeat the call with its present tag.',
  },
  // Understood, and impossible for this dtype, shape or file.
  bad_index: {
    status: 422,
    title: 'The index is not one that numpy takes',
    remedy: 'Use integers, slices, lists of integers, and booleans of the lengths of their axes, as in numpy.',
  },
  index_out_of_bounds: {
    status: 422,
    title: 'An index is outside its axis',
    remedy: 'Use an index in the bounds that the message names; the bounds of start:stop clip.',
  },
  outside: {
    status: 422,
    title: 'The write starts at the end of the array or behind',
    remedy: 'Write to rows that are there, or add rows with POST …/append: a write never makes an array longer.',
  },
  not_growable: {
    status: 422,
    title: 'The array cannot change its length so',
    remedy:
      'Only the growing axis changes: the first in C order, the last in F order. Import what cannot grow into an array that can.',
  },
  too_many_indices: {
    status: 422,
    title: 'The slice has more parts than the array has axes',
    remedy: 'Give at most one index per axis.',
  },
  result_rank: {
    status: 422,
    title: 'The result would have too many axes',
    remedy: 'Write fewer newaxis.',
  },
  unsupported_dtype: {
    status: 422,
    title: 'The dtype is not supported',
    remedy: 'Use one of the dtypes that the message names, or register the file as raw bytes of one.',
  },
  unknown_field: {
    status: 422,
    title: 'There is no such field, column or member',
    remedy: 'Use one of the names that the message lists.',
  },
  not_tabular: {
    status: 422,
    title: 'The elements are no table',
    remedy: 'Take an index or a field, so that rows and columns are left, or ask for npy, raw or json.',
  },
  no_npy_header: {
    status: 422,
    title: 'The dtype has no .npy header',
    remedy: 'Use raw or json, or take single fields with field=.',
  },
  bad_shape: {
    status: 422,
    title: 'The shape cannot be served',
    remedy: 'Give a shape that fits the dtype, the file and the names of the axes.',
  },
  shape_mismatch: {
    status: 422,
    title: 'The data cannot be broadcast to the selection',
    remedy: 'Send data of the shape of the selection, or of one that numpy would broadcast to it.',
  },
  body_size_mismatch: {
    status: 422,
    title: 'The body has the wrong number of bytes',
    remedy: 'Send exactly the bytes that the message names, or those of one element to fill the selection.',
  },
  bad_value: {
    status: 422,
    title: 'A value is none of the dtype',
    remedy: 'Write it as the message says: dates as ISO 8601, void as base64, structures with all of their fields.',
  },
  would_lose: {
    status: 422,
    title: 'The dtype cannot hold the values',
    remedy: 'Convert the values before they are sent, or use a dtype that holds them.',
  },
  not_an_array: {
    status: 422,
    title: 'The file is a container that is not served',
    remedy: 'Save the array inside it as a .npy.',
  },
  member_needed: {
    status: 422,
    title: 'The file holds several arrays',
    remedy: 'Name one of those that the message lists as member.',
  },
  unknown_member: {
    status: 422,
    title: 'The file holds no array of this name',
    remedy: 'Use one of the names that the message lists.',
  },
  compressed: {
    status: 422,
    title: 'The array is compressed in its file',
    remedy: 'Save the file with np.savez, or import the member.',
  },
  bad_container: {
    status: 422,
    title: 'The file says of its members what cannot be',
    remedy: 'Copy the file again, or write it anew with numpy or safetensors.',
  },
  format_mismatch: {
    status: 422,
    title: 'The name, the format and the content of the file contradict each other',
    remedy: 'Rename the file, or state the format that its content has.',
  },
  header_mismatch: {
    status: 422,
    title: 'The request contradicts the header of the file',
    remedy: 'Leave dtype, shape and order out: the header of a .npy has them.',
  },
  file_too_small: {
    status: 422,
    title: 'The file is smaller than the array',
    remedy: 'Give a smaller shape or offset, or the whole file.',
  },
  overlap: {
    status: 422,
    title: 'Elements of the array share bytes, and it is to be written',
    remedy: 'Register it with mode r, or with strides of which each steps over all that the smaller ones span.',
  },
  part_differs: {
    status: 422,
    title: 'A file does not fit the others that it is to make one array with',
    remedy: 'Leave it out, or give it the dtype, byte order and lengths behind the first that the others have.',
  },
  not_a_regular_file: {
    status: 422,
    title: 'The path is not a regular file',
    remedy: 'Give the path of a file: folders, pipes and devices cannot be mapped.',
  },
  file_system_refused: {
    status: 422,
    title: 'The file system cannot be written safely',
    remedy: 'Register the file with mode r, or move it to a local disk.',
  },
  bad_axis: {
    status: 422,
    title: 'The axis does not exist',
    remedy: 'Count the axes of the selection, from 0, or from -1 backwards.',
  },
  bad_operation: {
    status: 422,
    title: 'The statistic cannot be computed this way',
    remedy: 'Change the operation or the parameter that the message names.',
  },
  not_aligned: {
    status: 422,
    title: 'The datasets do not have as many rows',
    remedy: 'Use a dataset with one element for each row.',
  },
  empty_selection: {
    status: 422,
    title: 'The statistic needs at least one element',
    remedy: 'Choose a slice or a filter that leaves elements, or ask for count or sum, which need none.',
  },
  nan_found: {
    status: 422,
    title: 'The selection holds NaN',
    remedy: 'Ask for nan=omit to leave them out.',
  },
  // Limits and capacity.
  too_large: {
    status: 413,
    title: 'The request is over a limit',
    remedy: 'Ask for less in one call, or in a format without the limit; the message has the limit and what was asked.',
  },
  head_too_large: {
    status: 431,
    title: 'The request line and headers are over a limit',
    remedy: 'Send queries in the body of a POST, and fewer or shorter headers.',
  },
  too_slow: {
    status: 408,
    title: 'The request came too slowly',
    remedy: 'Send it again without pauses, or in smaller parts.',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests in a short time',
    remedy: 'Wait, and ask for more in each call.',
    retryAfterSeconds: 'computed',
  },
  too_many_jobs: {
    status: 429,
    title: 'Too many jobs are waiting',
    remedy: 'Wait for a job to end, or cancel one.',
    retryAfterSeconds: 'computed',
  },
  keys_unavailable: {
    status: 503,
    title: 'The keys that tokens are checked against cannot be fetched',
    remedy: 'Repeat the call; where it goes on, whoever runs the service should look at its identity provider.',
    retryAfterSeconds: 5,
  },
  busy: {
    status: 503,
    title: 'The service is at a limit of concurrent work',
    remedy: 'Repeat the call in a moment.',
    retryAfterSeconds: 1,
  },
  folder_away: {
    status: 503,
    title: 'The folder of the file cannot be looked at',
    remedy: 'Repeat the call later; whoever runs the service should see whether the folder is mounted and may be read.',
    retryAfterSeconds: 5,
  },
  bulk_load: {
    status: 503,
    title: 'The file is being bulk-loaded',
    remedy: 'Repeat the call when the write with durability=none has ended.',
    retryAfterSeconds: 5,
  },
  busy_writing: {
    status: 503,
    title: 'The file is written faster than it can be read consistently',
    remedy: 'Repeat the call when there are fewer writes, or ask for less in one call.',
    retryAfterSeconds: 1,
  },
  worker_lost: {
    status: 503,
    title: 'The computation was lost with its thread',
    remedy: 'Repeat the call later, or ask for less in it.',
    retryAfterSeconds: 5,
  },
  no_workers: {
    status: 503,
    title: 'No thread can be started to compute with',
    remedy: 'Repeat the call later; whoever runs the service should look for memory and processes that are short.',
    retryAfterSeconds: 30,
  },
  no_kernels: {
    status: 503,
    title: 'Statistics cannot be computed',
    remedy:
      'Read the elements instead; whoever runs the service finds in its log why WebAssembly cannot be had, such as a limit on address space, or --jitless.',
    retryAfterSeconds: 30,
  },
  shutting_down: {
    status: 503,
    title: 'The service is shutting down',
    remedy: 'Repeat the call when it has started again.',
    retryAfterSeconds: 5,
  },
  // Of requests and jobs that nobody waits for any more: no code of the standard's, since whoever would read it has
  // gone. It is counted and logged.
  cancelled: {
    status: 499,
    title: 'The request was cancelled',
    remedy: 'Send it again, if its answer is wanted after all.',
  },
  // The storage.
  quarantined: {
    status: 503,
    title: 'The dataset is quarantined',
    remedy: 'Mend what the message names and restart the service, or forget the dataset.',
  },
  durability_unknown: {
    status: 503,
    title: 'The durability of earlier writes is unknown',
    remedy: 'Let whoever runs the service look at the disk and restart it; read what was last written.',
  },
  data_folder_refused: {
    status: 503,
    title: 'The data folder of the service cannot be written',
    remedy:
      'Let whoever runs the service give it back the right to its data folder; what is served can be read meanwhile.',
  },
  private_memory_full: {
    status: 507,
    title: 'The memory of datasets of mode c is full',
    remedy:
      'Discard what was written to such datasets and is not needed any more, or let whoever runs the service give them more memory.',
  },
  disk_full: {
    status: 507,
    title: 'The disk is full',
    remedy: 'Free space on the disk of the service, and repeat the call.',
  },
  io_error: {
    status: 500,
    title: 'The storage answered with an error',
    remedy:
      'Let whoever runs the service look at the disk; its log has the error under the x-request-id of the answer.',
  },
  internal: {
    status: 500,
    title: 'The service failed',
    remedy: 'Report it with what the log has under the x-request-id of the answer.',
  },
});

export type ErrorCode = keyof typeof ERRORS;
