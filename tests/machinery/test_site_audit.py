"""The audit fails where a score is below its limit, and says which."""

import sys

import pytest

from tools import audit

PERFECT = dict.fromkeys(audit.LEAST, 100)


def audited(monkeypatch, scores: list[dict[str, int]]) -> bool:
    """Return whether pages that get these scores, run after run, suffice."""
    answers = iter(scores * len(audit.PAGES))
    monkeypatch.setattr(audit, "scores", lambda url: next(answers))
    return audit.audit("http://site.invalid/", len(scores))


def test_the_median_counts(monkeypatch):
    slow = PERFECT | {"performance": 50}
    assert audited(monkeypatch, [slow, PERFECT, PERFECT])
    assert not audited(monkeypatch, [slow, slow, PERFECT])


@pytest.mark.parametrize(("name", "least"), audit.LEAST.items())
def test_each_score_has_a_limit(monkeypatch, capsys, name: str, least: int):
    assert audited(monkeypatch, [PERFECT | {name: least}])
    assert not audited(monkeypatch, [PERFECT | {name: least - 1}])
    assert f"<- {name}" in capsys.readouterr().out


@pytest.mark.parametrize("suffices", [True, False])
def test_the_exit_status_tells(monkeypatch, tmp_path, suffices: bool):
    monkeypatch.setattr(audit, "audit", lambda root, runs: suffices)
    monkeypatch.setattr(sys, "argv", ["audit", "--site", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        audit.main()
    assert bool(ended.value.code) is not suffices
