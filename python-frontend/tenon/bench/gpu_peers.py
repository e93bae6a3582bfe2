"""Who stands beside Tenon on a GPU: the names that --vs takes, of kernels and of models.

PyTorch brings several contenders; they are all there unless --vs names libraries of it, which are then the only ones of them.
Others are there where --vs names them."""

#: {what is measured: {library of PyTorch's: how the names of its contenders begin}}
LIBRARIES = {"kernels": {"cublas": "cuBLAS", "cudnn": "cuDNN", "flash": "Flash"},
             "models": {"cudnn": "plain graph, cuDNN", "flash": "plain graph, Flash"}}
#: Of fp8, a contender that does not promote: it computes to fewer digits than are asked for (decision 0014).
SUMS_OF_14_BITS = "cuBLAS, sums of 14 bits"
#: They are timed and shown, and are nobody's best peer.
NO_PEERS = (SUMS_OF_14_BITS,)
TVM = "TVM, f16"  # it has no rule for Tensor Cores in bf16
OTHERS = {"kernels": {"inductor": "torch.compile", "xla": "XLA"},
          "models": {"inductor": "torch.compile", "xla": "XLA", "tvm": TVM}}


def names_of(kind):
    """What --vs may name; `torch` is all that PyTorch brings."""
    return ("torch", *LIBRARIES[kind], *OTHERS[kind])


def takes(kind, peers, contender):
    """Whether a contender that PyTorch brings is among `peers`, names as --vs has them."""
    beginnings = tuple(LIBRARIES[kind][peer] for peer in peers if peer in LIBRARIES[kind])
    return "torch" in peers or not beginnings or contender.startswith(beginnings)
