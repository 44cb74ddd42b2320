"""Arguments go before the environment, and that before a file; what is wrong is one line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from smtps.cli import main
from smtps.cli.configuration import Configuration
from smtps.cli.exits import Failure
from smtps.testing import Sink


def load(environment: dict[str, str] | None = None, **arguments: Any) -> Configuration:
    return Configuration.load(argparse.Namespace(**arguments), environment or {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "smtps.toml"
    path.touch(mode=0o600)
    return path


def sentence(environment: dict[str, str] | None = None, **arguments: Any) -> tuple[str, int]:
    with pytest.raises(Failure) as caught:
        load(environment, **arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value), caught.value.status


# --- which goes before which ----------------------------------------------------------------------


def test_each_source_replaces_the_one_below_value_by_value(file: Path) -> None:
    file.write_text('url = "smtp://file.example"\ntimeout = 1\nhello = "f.example"\nquit_timeout=1')
    found = load(
        {"SMTPS_TIMEOUT": "2", "SMTPS_HELLO": "e.example"}, config=str(file), set=["timeout=3"]
    )
    smtp = found.relay()
    assert (smtp.mail_server, smtp.timeout) == ("file.example", 3)
    assert (smtp.settings.hello, smtp.settings.quit_timeout) == ("e.example", 1)


def test_a_relay_url_brings_the_options_of_its_query_and_what_stands_beside_it_goes_first() -> None:
    smtp = load({"SMTPS_URL": "smtp://r.example?timeout=7&hello=a", "SMTPS_HELLO": "b"}).relay()
    assert (smtp.timeout, smtp.settings.hello) == (7, "b")


def test_a_password_of_one_relay_never_reaches_another(file: Path) -> None:
    file.write_text('url = "smtp://me@file.example"\npassword = "secret"')
    smtp = load(config=str(file), url="smtp://other.example").relay()
    assert (smtp.mail_server, smtp.user, smtp.password) == ("other.example", "", "")


def test_a_password_alone_is_for_the_relay_that_the_arguments_name() -> None:
    smtp = load({"SMTPS_PASSWORD": "secret"}, url="smtp://me@r.example").relay()
    assert (smtp.user, smtp.password) == ("me", "secret")


def test_who_logs_in_beside_the_url_submits() -> None:
    assert load(url="smtp://r.example", user="me").relay(logs_in=False).mail_port == 587
    assert load(url="smtp://r.example:26", user="me").relay(logs_in=False).mail_port == 26


@pytest.mark.parametrize("where", ["XDG_CONFIG_HOME", "HOME", "SMTPS_CONFIG"])
def test_the_file_is_found_where_it_is_looked_for(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = {"XDG_CONFIG_HOME": "x/smtps", "HOME": ".config/smtps", "SMTPS_CONFIG": ""}[where]
    path = tmp_path / folder / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('mail_server = "found.example"')
    named = {"XDG_CONFIG_HOME": tmp_path / "x", "HOME": tmp_path, "SMTPS_CONFIG": path}[where]
    monkeypatch.setenv("HOME", str(named))
    found = load({where: str(named)} if where != "HOME" else {})
    assert found.relay().mail_server == "found.example"
    assert found.file == path


# --- passwords ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "smtp://me:pw@r.example"},
        {"url": "smtp://r.example?password=pw"},
        {"url": "smtp://r.example?firewall=socks5%3A%2F%2Fu%3Apw%40h"},
        {"set": ["password=pw"]},
        {"set": ["authorization_identity=pw"]},
        {"set": ["firewall=socks5://u:pw@h"]},
    ],
)
def test_a_secret_in_an_argument_is_refused_with_the_way_out(arguments: dict[str, Any]) -> None:
    text, status = sentence(**arguments)
    assert "--password-command" in text
    assert "pw" not in text
    assert status == 64


def test_the_first_line_that_a_command_prints_is_the_password() -> None:
    found = load(url="smtp://me@r.example", password_command="printf 'se cret\\nmore'")
    assert found.relay().password == "se cret"


def test_a_command_as_a_list_needs_no_shell(file: Path) -> None:
    file.write_text('url = "smtp://me@r.example"\npassword_command = ["echo", "$HOME;x"]')
    assert load(config=str(file)).relay().password == "$HOME;x"


def test_the_command_is_run_once_for_many_connections(tmp_path: Path) -> None:
    count = tmp_path / "count"
    found = load(url="smtp://me@r.example", password_command=f"echo x >>{count}; echo pw")
    assert not count.exists()
    assert [found.relay().password, found.relay().password] == ["pw", "pw"]
    assert count.read_text() == "x\n"


@pytest.mark.parametrize(
    ("command", "reason"),
    [("exit 3", "failed with status 3"), ("true", "no password"), (["/no/such"], "No such file")],
)
def test_a_command_that_gives_none_is_named(command: Any, reason: str, file: Path) -> None:
    file.write_text(f"url = 'smtp://me@r.example'\npassword_command = {json.dumps(command)}")
    with pytest.raises(Failure, match=reason) as caught:
        load(config=str(file)).relay()
    assert str(file) in str(caught.value)
    assert caught.value.status == 78


def test_the_first_line_of_a_file_is_the_password(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("pässword\r\n")
    assert load(url="smtp://me@r.example", password_file=str(file)).relay().password == "pässword"
    assert not capsys.readouterr().err
    with pytest.raises(Failure, match="--password-file = '/no/such': cannot be read") as caught:
        load(url="smtp://me@r.example", password_file="/no/such").relay()
    assert caught.value.status == 66


def test_two_ways_to_a_password_are_one_too_many() -> None:
    text, _ = sentence({"SMTPS_PASSWORD": "x", "SMTPS_PASSWORD_COMMAND": "y"})
    assert "choose one" in text


@pytest.mark.parametrize(
    "content", ['password = "x"', 'url = "smtp://a:x@b"', 'firewall = "socks5://a:x@b"']
)
def test_a_file_with_a_password_that_everyone_can_read_gets_a_warning(
    content: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(content)
    load(config=str(file))
    assert not capsys.readouterr().err
    file.chmod(0o644)
    load(config=str(file))
    assert f"chmod 600 {file}" in capsys.readouterr().err


def test_a_file_without_a_password_may_be_read(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('url = "smtp://a@b"')
    file.chmod(0o644)
    load(config=str(file))
    assert not capsys.readouterr().err


# --- what is wrong is one line --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("timout = 5", ["timout", "did you mean timeout?"]),
        ('host = "x"', ["host", "did you mean mail_server?"]),
        ("x_y_z = 1", ["x_y_z", "smtps config --show"]),
        ('timeout = "soon"', ["timeout", "'soon' is not a number"]),
        ("timeout = [1]", ["timeout", "expected a number, not [1]"]),
        ("mail_port = 99999", ["mail_port", "99999 is not between 1 and 65535"]),
        ("allow_extensions = 7", ["allow_extensions", "expected True or False, not 7"]),
        ('url = "ftp://x"', ["url = 'ftp://x'", "smtp://, smtps://"]),
        ("url = 7", ["url = 7", "expected text"]),
        ('hello = "a b"', ["hello", "'a b' is not a host name"]),
        ("outbox = 1", ["outbox = 1", "expected text"]),
        ("timeout =\n", ["no TOML", "line 1"]),
    ],
)
def test_what_is_wrong_in_a_file_names_file_field_value_and_spelling(
    content: str, words: list[str], file: Path
) -> None:
    file.write_text(content)
    text, status = sentence(config=str(file))
    assert str(file) in text
    for word in words:
        assert word in text
    assert status == 78


def test_a_secret_that_is_wrong_is_not_shown(file: Path) -> None:
    file.write_text('password = "a\\nb"')
    text, _ = sentence(config=str(file))
    assert "password = ********: control character U+000A" in text


@pytest.mark.parametrize(
    ("variable", "hint"),
    [("SMTPS_TIMOUT", "SMTPS_TIMEOUT"), ("SMTPS_HOST", "SMTPS_MAIL_SERVER")],
)
def test_a_misspelled_variable_is_named_with_the_right_spelling(variable: str, hint: str) -> None:
    assert sentence({variable: "1"}) == (
        f"{variable}: there is no such option; did you mean {hint}?",
        78,
    )


def test_a_variable_of_another_program_is_left_alone() -> None:
    assert load({"SMTPS_REQUIRE_SERVERS": "1", "SMTPS_IMPL": "pure", "SMTPSX": "1"}).given == {}


def test_a_wrong_value_names_its_variable_or_argument() -> None:
    assert sentence({"SMTPS_TIMEOUT": "soon"}) == ("SMTPS_TIMEOUT: 'soon' is not a number", 78)
    assert sentence(set=["timeout=soon"]) == ("--set timeout: 'soon' is not a number", 64)
    assert sentence(set=["timout=1"])[0].endswith("did you mean timeout?")
    assert sentence(set=["timeout"]) == ("--set timeout: expected NAME=VALUE", 64)
    assert sentence(url="smtp://r?timeout=soon")[0].startswith("--url: timeout: 'soon'")
    assert sentence(url="smtp://")[1] == 64


def test_a_file_that_was_named_and_is_not_there_is_said() -> None:
    text, status = sentence(config="/no/such")
    assert text == "--config: /no/such: cannot be read: No such file or directory"
    assert status == 66
    assert sentence({"SMTPS_CONFIG": "/no/such"})[0].startswith("SMTPS_CONFIG: ")


# --- smtps config ---------------------------------------------------------------------------------


def test_show_prints_every_value_with_its_source_and_no_secret(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('url = "smtp://me:secret1@r.example"\nfirewall_password = "secret2"')
    monkeypatch.setenv("SMTPS_TIMEOUT", "5")
    assert main(["config", "--show", "--config", str(file), "--set", "hello=h.example"]) == 0
    shown = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line}
    assert rows["mail_server"] == ["r.example", str(file)]
    assert rows["password"] == ["********", str(file)]
    assert rows["timeout"] == ["5", "SMTPS_TIMEOUT"]
    assert rows["hello"] == ["h.example", "--set", "hello"]
    assert rows["keep_queue"] == ["false", "default"]
    assert "secret" not in shown


def test_show_as_json_runs_no_password_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTPS_PASSWORD_COMMAND", "false")
    assert main(["config", "--show", "--json", "--url", "smtp://me@r.example"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["options"]["user"] == {"value": "me", "source": "--url"}
    assert facts["options"]["password_command"]["source"] == "SMTPS_PASSWORD_COMMAND"


def test_without_a_flag_it_says_where_files_are_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config"]) == 0
    shown = capsys.readouterr().out
    assert f"{tmp_path}/xdg/smtps/config.toml  is not there" in shown
    assert "/etc/smtps.toml" in shown


def test_run_logs_in_with_the_password_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = tmp_path / "queue"
    queue.mkdir()
    mail = tmp_path / "m.eml"
    mail.write_bytes(b"From: a@b.example\nTo: c@d.example\n\nHi\n")
    assert main(["queue", str(queue), str(mail)]) == 0
    with Sink(tls="starttls", users={"me": "se cret"}, require_auth=True) as sink:
        monkeypatch.setenv("SMTPS_PASSWORD", "se cret")
        monkeypatch.setenv("SMTPS_OUTBOX", str(queue))
        url = f"smtp://me@127.0.0.1:{sink.port}?openssl_ca_file={sink.ca_file}"
        assert main(["run", "--url", url, "--connections", "2"]) == 0
        assert sink.messages[0].user == "me"
