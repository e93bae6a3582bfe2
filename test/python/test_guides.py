"""The Python blocks of the guides and of the README are programs that run."""
import re
from pathlib import Path

import pytest
import torch

import tenon

ROOT = Path(__file__).resolve().parents[2]


def run_blocks(page):
    """The names that the page's program defines."""
    text = page.read_text()
    names = {"__name__": "guide"}
    for match in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        line = text[:match.start(1)].count("\n")
        exec(compile("\n" * line + match.group(1), str(page), "exec"), names)
    return names


def test_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run_blocks(ROOT / "README.md")
    bert, inputs = names["bert"], names["inputs"]
    fast = torch.compile(bert, backend="tenon")
    with torch.no_grad():
        expected = bert(**inputs)
        for given in (names["outputs"], fast(**inputs), tenon.load("bert.tnx")(**inputs)):
            torch.testing.assert_close(given.last_hidden_state, expected.last_hidden_state, rtol=0, atol=1e-5)
            torch.testing.assert_close(given.pooler_output, expected.pooler_output, rtol=0, atol=1e-5)


def test_generating_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_blocks(ROOT / "docs" / "guides" / "generate-text.md")
    assert (tmp_path / "decoder.tnx").exists()


@pytest.mark.parametrize("guide", ["python.md"])
def test_blocks_run_in_order(guide, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TENON_FALLBACK", "error")
    run_blocks(ROOT / "docs" / "guides" / guide)
    assert "launches" in capsys.readouterr().out
    assert {"head.tnx", "bare.tnx", "head.safetensors", "dump"} <= {path.name for path in tmp_path.iterdir()}
