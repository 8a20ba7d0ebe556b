"""The command line: quick, honest about mistakes, data on stdout and the rest on stderr."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ecglipse.cli import main
from ecglipse.commands import VERBS


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ecglipse", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_help_loads_nothing_heavy() -> None:
    """Neither torch nor pandas, scikit-learn, matplotlib, SciPy or pydantic."""
    code = (
        "import sys\n"
        "from ecglipse.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'matplotlib', 'scipy', 'pydantic', 'numpy'}\n"
        "heavy &= set(sys.modules)\n"
        "print('heavy:', sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "heavy: []" in done.stderr
    assert all(verb in done.stdout for verb in VERBS)


def test_the_heavy_check_can_fail() -> None:
    code = "import sys, numpy; print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "['numpy']"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code in (0, None)
    assert f"Usage: ecglipse {verb}" in text
    assert "--json" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["pretrian"], 2, 'Did you mean "pretrain"?'),
        (["pretrain"], 2, "requires an argument"),
        (["study", "x.toml", "--wrokers", "2"], 2, "--wrokers"),
        (["study", "missing.toml"], 1, "missing.toml: no such config"),
        (["report", "missing"], 1, "missing"),
        (["verify", "missing"], 1, "missing"),
        (["prepare", "missing", "store"], 1, "missing"),
        (["show", "missing"], 1, "missing"),
    ],
)
def test_mistakes_end_with_one_message_and_their_exit_code(
    arguments: list[str],
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    assert ended.value.code == code
    assert out == ""
    assert words in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_json_is_json_and_alone_on_stdout(simulated: Path) -> None:
    done = run("show", str(simulated), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_cli_and_python_have_the_same_verbs() -> None:
    import ecglipse.commands as commands
    from ecglipse.cli import app

    assert {name for name in app if not name.startswith("-")} == set(VERBS)
    assert all(callable(getattr(commands, verb)) for verb in VERBS)
