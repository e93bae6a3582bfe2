"""Set-up of all Python tests: nothing is fetched, random numbers are the same in every run, and what torch.export logs stays out of the
reports."""
import os
import warnings

import numpy as np
import pytest
import torch

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore", category=FutureWarning)


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "ignore::FutureWarning")
    config.addinivalue_line("filterwarnings", "ignore:the exported model does not use its input:UserWarning")
    config.addinivalue_line("filterwarnings", "ignore:Using padding='same' with even kernel lengths:UserWarning")


@pytest.fixture(autouse=True)
def same_random_numbers():
    torch.manual_seed(0)
    np.random.seed(0)
