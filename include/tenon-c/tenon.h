/* The C API of Tenon: compile a model, keep it as an artefact, load it and run it.
 *
 * Rules: every struct that a caller fills begins with `struct_size = sizeof(the struct)`, so that a library and a
 * program of different versions understand each other. A function that can fail returns NULL on success, else an error
 * that the caller frees. Handles are freed by their own function; NULL is accepted there. Strings are UTF-8 and end in
 * 0. An executable may be used by many threads at once; a context by one at a time. libtenon.so has everything here;
 * libtenon-runtime.so all but tenon_compile and tenon_tuning_tasks (and needs no LLVM). */
#ifndef TENON_C_TENON_H
#define TENON_C_TENON_H

#include <stddef.h>
#include <stdint.h>

#define TENON_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_API_VERSION 1
/* The API version the library was built with. */
TENON_API int32_t tenon_api_version(void);
/* The build, for reports: "0.1.0". Static. */
TENON_API const char *tenon_version(void);

/* ---- errors ---- */
typedef struct tenon_error tenon_error;
typedef enum tenon_error_kind {
  TENON_INVALID_ARGUMENT = 1, /* the caller's: wrong count, type, shape, path */
  TENON_NOT_FOUND = 2,        /* a file, a weight, a kernel */
  TENON_CORRUPT = 3,          /* a file that breaks its format */
  TENON_UNSUPPORTED = 4,      /* understood, but not offered */
  TENON_OUT_OF_MEMORY = 5,
  TENON_IO = 6,       /* the system refused: no space, no permission */
  TENON_INTERNAL = 7, /* a fault in Tenon */
  TENON_DEVICE = 8,   /* a GPU failed, and this process cannot use it any more; every later call says so again */
} tenon_error_kind;
TENON_API int32_t tenon_error_get_kind(const tenon_error *error);
/* Lives as long as the error. */
TENON_API const char *tenon_error_message(const tenon_error *error);
TENON_API void tenon_error_free(tenon_error *error);

/* ---- tensors ---- */
typedef enum tenon_dtype {
  TENON_F64 = 0,
  TENON_F32 = 1,
  TENON_F16 = 2,
  TENON_BF16 = 3,
  TENON_F8E4M3FN = 4,
  TENON_F8E5M2 = 5,
  TENON_I64 = 6,
  TENON_I32 = 7,
  TENON_I16 = 8,
  TENON_I8 = 9,
  TENON_I4 = 10, /* two to a byte, low nibble first */
  TENON_I1 = 11, /* one to a byte, 0 or 1 */
  TENON_U8 = 12,
} tenon_dtype;
/* "f32", "bf16", ...; NULL for no type. Static. */
TENON_API const char *tenon_dtype_name(int32_t dtype);

typedef enum tenon_device_type {
  TENON_HOST = 0, /* memory of the host */
  TENON_CUDA = 1, /* memory of a GPU */
} tenon_device_type;

typedef struct tenon_tensor {
  size_t struct_size; /* in an array, of the first element: the distance between elements */
  void *data;
  int32_t dtype; /* tenon_dtype */
  int32_t rank;
  const int64_t *shape;
  const int64_t *strides; /* in elements, or NULL for dense row-major; others than dense are refused */
  int32_t device_type;    /* tenon_device_type */
  int32_t device_index;   /* of TENON_CUDA: which GPU */
} tenon_tensor;

typedef struct tenon_named_tensor {
  size_t struct_size;
  const char *name;
  tenon_tensor tensor;
} tenon_named_tensor;

/* ---- compiling (libtenon.so) ---- */
typedef struct tenon_artefact tenon_artefact;
typedef struct tenon_compile_options {
  size_t struct_size;
  const char *target;       /* NULL: "cpu", this machine; "cpu:<llvm cpu>"; "sm_90a" and the like; "cuda": its GPU */
  const char *dump_dir;     /* NULL, or a folder that gets the IR of every phase */
  const char *filename;     /* NULL, or the name the text goes by in messages */
  const char *weights_path; /* NULL, or a safetensors file to put into the artefact */
  int32_t collect_remarks;  /* not 0: the report has what passes did, did not do, and why */
  int32_t tf32;             /* not 0, for a GPU: products of f32 may be rounded to tf32 */
  int32_t fail_on_fallback; /* not 0, for a GPU: a kernel that has no program on tiles is an error */
  const char *schedule;     /* NULL, or for a GPU a file of schedules by hand, lines `@kernel = #tile.gemm<..>` */
  const char *tuning; /* NULL, or for a GPU a file of measured schedules, "none" for none; NULL: TENON_TUNING, else
                         those that come with Tenon */
  const char *from;   /* NULL: "graph", the first phase to run; the text is past those before it */
} tenon_compile_options;
/* `text`: a module in the tenon dialect, not necessarily ended by 0. options may be NULL. */
TENON_API tenon_error *tenon_compile(const char *text, size_t length, const tenon_compile_options *options,
                                     tenon_artefact **artefact);

/* What tenon-tune measures: for each kernel of a model that a measured schedule could be kept for, once a key, its key,
 * its text by itself (past phase `kernel`), and its schedules, best first by the model. JSON, described in
 * lib/Compiler/TuningTasks.h. */
typedef struct tenon_text tenon_text;
TENON_API tenon_error *tenon_tuning_tasks(const char *text, size_t length, const tenon_compile_options *options,
                                          tenon_text **json);
/* Lives as long as the text. */
TENON_API void tenon_text_get(const tenon_text *text, const char **data, size_t *size);
TENON_API void tenon_text_free(tenon_text *text);

/* ---- artefacts ---- */
TENON_API tenon_error *tenon_artefact_open(const char *path, tenon_artefact **artefact);
/* Copies the bytes. */
TENON_API tenon_error *tenon_artefact_open_bytes(const void *data, size_t size, tenon_artefact **artefact);
/* The file is replaced whole or not at all. */
TENON_API tenon_error *tenon_artefact_save(const tenon_artefact *artefact, const char *path);
/* The same with the weights of a safetensors file inside, in place of any it has. */
TENON_API tenon_error *tenon_artefact_save_with_weights(const tenon_artefact *artefact, const char *path,
                                                        const char *weights_path);
/* The bytes live as long as the artefact. */
TENON_API void tenon_artefact_bytes(const tenon_artefact *artefact, const void **data, size_t *size);
/* manifest.json: kernels, schedules, buffers, weights, metadata; of several entries each under "entries". Lives as long
 * as the artefact. */
TENON_API void tenon_artefact_manifest(const tenon_artefact *artefact, const char **json, size_t *size);
/* Of an artefact that tenon_compile made, else empty: {"seconds": [[step, seconds], ..], "remarks": [{"kind",
 * "category", "location", "message"}, ..]}. Lives as long as the artefact. */
TENON_API void tenon_artefact_report(const tenon_artefact *artefact, const char **json, size_t *size);
TENON_API void tenon_artefact_free(tenon_artefact *artefact);

/* ---- executables ---- */
typedef struct tenon_executable tenon_executable;
typedef struct tenon_load_options {
  size_t struct_size;
  const char *weights_path;                /* NULL, or a safetensors file */
  const tenon_named_tensor *named_weights; /* NULL, or weights in memory, which the caller keeps as long as the
                                              executable; looked up before any file */
  size_t num_named_weights;
  int32_t device_index; /* which GPU, for an artefact that is compiled for one */
} tenon_load_options;
/* options may be NULL. The executable keeps what it needs of the artefact. All entries of an artefact are loaded
 * together, with one copy of what they share of the weights; the executable is the first of them. */
TENON_API tenon_error *tenon_executable_load(const tenon_artefact *artefact, const tenon_load_options *options,
                                             tenon_executable **executable);
/* The entries, ways into one model: as "prefill" for a prompt and "decode" for the token after it; one, "main", of most
 * models. The inputs of an executable, its outputs and its contexts are those of its entry. Inputs with one name that
 * outputs of several entries are "over" (see tenon_context_run), as a cache, may be one memory for all. */
TENON_API size_t tenon_executable_num_entries(const tenon_executable *executable);
/* Lives as long as the executable; NULL where there is none of that number. */
TENON_API const char *tenon_executable_entry_name(const tenon_executable *executable, size_t index);
/* Another handle of the same loaded model, of the entry with this name, freed by itself, before or after the other. An
 * error lists the names there are. */
TENON_API tenon_error *tenon_executable_entry(const tenon_executable *executable, const char *name,
                                              tenon_executable **entry);
TENON_API void tenon_executable_free(tenon_executable *executable);

typedef struct tenon_io_info {
  size_t struct_size; /* filled in by the caller */
  const char *name;
  int32_t dtype;
  int32_t rank;
  const int64_t *shape;    /* -1 where dynamic */
  const char *const *dims; /* the dimension's name where it is one, else "" */
  const int64_t *lower;    /* bounds, both inclusive; equal to the size where static */
  const int64_t *upper;
} tenon_io_info;
TENON_API size_t tenon_executable_num_inputs(const tenon_executable *executable);
TENON_API size_t tenon_executable_num_outputs(const tenon_executable *executable);
/* The pointers in info live as long as the executable. */
TENON_API tenon_error *tenon_executable_input(const tenon_executable *executable, size_t index, tenon_io_info *info);
TENON_API tenon_error *tenon_executable_output(const tenon_executable *executable, size_t index, tenon_io_info *info);
/* Packed weights and copies made at load, in bytes, of all entries; of GPU memory, for a GPU. */
TENON_API int64_t tenon_executable_persistent_bytes(const tenon_executable *executable);

/* ---- running ---- */
typedef struct tenon_context tenon_context;
TENON_API tenon_error *tenon_context_create(const tenon_executable *executable, tenon_context **context);
typedef struct tenon_context_options {
  size_t struct_size;
  void *stream;       /* for a GPU: the CUstream that calls are queued on, used if use_stream is not 0; NULL is the
                         driver's default stream */
  int32_t use_stream; /* 0: a stream of its own */
} tenon_context_options;
/* options may be NULL. */
TENON_API tenon_error *tenon_context_create_with_options(const tenon_executable *executable,
                                                         const tenon_context_options *options, tenon_context **context);
TENON_API void tenon_context_free(tenon_context *context);
/* Checks the inputs and sets dtype, rank and shape of every output (not data); the shapes live until the next call on
 * this context. */
TENON_API tenon_error *tenon_context_output_shapes(tenon_context *context, const tenon_tensor *inputs,
                                                   size_t num_inputs, tenon_tensor *outputs, size_t num_outputs);
/* Outputs are written to the caller's memory, which must not overlap the inputs; but an output that the manifest says
 * is "over" an input, as a cache that is appended to, may be that input's memory: then the rest of it is not copied.
 * When it returns they are written, unless every tensor is in GPU memory: then the work is queued on the context's
 * stream. */
TENON_API tenon_error *tenon_context_run(tenon_context *context, const tenon_tensor *inputs, size_t num_inputs,
                                         const tenon_tensor *outputs, size_t num_outputs);
/* Arena and scratch held by this context, in bytes. */
TENON_API int64_t tenon_context_arena_bytes(const tenon_context *context);
/* For a GPU: later calls are queued on this CUstream, after the earlier ones. It must live until it is replaced or the
 * context is freed. */
TENON_API tenon_error *tenon_context_set_stream(tenon_context *context, void *stream);
/* Waits for all calls. An error of a kernel shows here at the latest. */
TENON_API tenon_error *tenon_context_synchronize(tenon_context *context);

/* For a GPU: tenon_context_run that waits, with an event of the device between launches. launches[i] is filled in for
 * launch i of a call; num_launches is how many the manifest has. Every struct_size is filled in by the caller; names
 * live until the next call on this context. */
typedef struct tenon_launch_time {
  size_t struct_size;
  const char *kernel;
  double milliseconds; /* on the device, of this launch by itself */
  int64_t flops;       /* of its kernel at these sizes */
  int64_t bytes;       /* the least that it reads and writes */
} tenon_launch_time;
TENON_API tenon_error *tenon_context_time_launches(tenon_context *context, const tenon_tensor *inputs,
                                                   size_t num_inputs, const tenon_tensor *outputs, size_t num_outputs,
                                                   tenon_launch_time *launches, size_t num_launches);

/* ---- CUDA graphs ---- */
typedef struct tenon_graph tenon_graph;
/* The launches of a call with inputs of these types and shapes (their data is not read), with input and output memory
 * of its own; but an input that an output is "over", given in GPU memory at a multiple of 16, is read and written where
 * it lies at every run, and must outlive the graph. Used by the thread that has the context; may be freed before or
 * after it. */
TENON_API tenon_error *tenon_graph_capture(tenon_context *context, const tenon_tensor *inputs, size_t num_inputs,
                                           tenon_graph **graph);
/* For measuring alone, for the results are wrong: the same without the launches of some kernels, so that the difference
 * in time is what these cost in the graph. A whole call with these inputs, whose data are read, comes first: what the
 * other launches read of such a kernel is what its last launch gave then. An error lists the kernels that a call
 * launches. */
TENON_API tenon_error *tenon_graph_capture_without(tenon_context *context, const tenon_tensor *inputs,
                                                   size_t num_inputs, const char *const *kernels, size_t num_kernels,
                                                   tenon_graph **graph);
/* Copies the inputs in, runs, copies the outputs out. With num_inputs 0 the graph's own inputs are read as they are;
 * with num_outputs 0 the results stay in the graph's own outputs, until the next run. */
TENON_API tenon_error *tenon_graph_run(tenon_graph *graph, const tenon_tensor *inputs, size_t num_inputs,
                                       const tenon_tensor *outputs, size_t num_outputs);
/* The graph's own tensors, in GPU memory; struct_size is filled in by the caller. They live as long as the graph. */
TENON_API tenon_error *tenon_graph_input(const tenon_graph *graph, size_t index, tenon_tensor *tensor);
TENON_API tenon_error *tenon_graph_output(const tenon_graph *graph, size_t index, tenon_tensor *tensor);
TENON_API void tenon_graph_free(tenon_graph *graph);

/* ---- devices ---- */
/* GPUs that this process sees. TENON_NOT_FOUND, with the remedy, where there is no driver or no GPU. */
TENON_API tenon_error *tenon_cuda_device_count(int32_t *count);
/* Bytes of its memory that nobody has, and all of it. */
TENON_API tenon_error *tenon_cuda_memory(int32_t device_index, int64_t *free_bytes, int64_t *total_bytes);

/* Threads that launches use, the caller's own among them (TENON_THREADS, else the cores of this process). */
TENON_API int32_t tenon_num_threads(void);

#ifdef __cplusplus
}
#endif
#endif /* TENON_C_TENON_H */
