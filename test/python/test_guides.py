"""The Python blocks of the guides are programs that run."""
import re
from pathlib import Path

import pytest

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"


@pytest.mark.parametrize("guide", ["python.md"])
def test_blocks_run_in_order(guide, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TENON_FALLBACK", "error")
    text = (GUIDES / guide).read_text()
    names = {"__name__": "guide"}
    for match in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        line = text[:match.start(1)].count("\n")
        exec(compile("\n" * line + match.group(1), str(GUIDES / guide), "exec"), names)
    assert "launches" in capsys.readouterr().out
    assert {"head.tnx", "bare.tnx", "head.safetensors", "dump"} <= {path.name for path in tmp_path.iterdir()}
