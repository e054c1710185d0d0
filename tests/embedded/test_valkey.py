"""The embedded Valkey keeps what it accepted, and never opens a port."""

import os
import signal

import pytest
import redis
from kombu import Connection

from incubator import embedded
from incubator.embedded import processes
from tests.embedded.test_postgres import sockets_of, tcp_listeners


@pytest.fixture
def client(valkey):
    valkey.start()
    with redis.Redis(unix_socket_path=str(valkey.socket)) as found:
        yield found


def test_valkey_killed_keeps_every_accepted_message(valkey, client):
    for number in range(500):
        client.rpush("queue", number)
    os.kill(valkey.process.pid, signal.SIGKILL)
    valkey.start()
    assert client.llen("queue") == 500


def test_valkey_stopped_and_started_again_keeps_its_messages(valkey, client):
    client.rpush("queue", "message")
    valkey.stop()
    assert not valkey.is_running() and not valkey.ready()
    valkey.start()
    assert client.lrange("queue", 0, -1) == [b"message"]


def test_valkey_starts_over_a_stale_socket(valkey, client):
    valkey.stop()
    valkey.socket.write_text("left behind")
    valkey.start()
    assert client.ping()


def test_valkey_with_an_unreadable_file_sets_it_aside_and_begins_empty(valkey, client):
    client.rpush("queue", *range(100))
    valkey.stop()
    file = next((valkey.data_dir / "appendonlydir").glob("*.incr.aof"))
    file.write_bytes(b"*3\r\n$rubbish" + file.read_bytes())
    valkey.start()
    assert client.llen("queue") == 0
    assert len(list(valkey.data_dir.parent.glob("valkey.unreadable-*"))) == 1


def test_valkey_never_listens_on_tcp(valkey, client):
    assert not tcp_listeners() & sockets_of(processes.living_in(valkey.data_dir, valkey.programs))


@pytest.mark.parametrize("name", ["plain", "a b#c%d+é,;x"])
def test_addresses_of_a_folder_are_understood_by_celery_cache_and_database(tmp_path, name, client_of):
    var = tmp_path / name
    client_of(var)
    with Connection(embedded.broker_url(var)) as broker:
        assert broker.default_channel.client.ping()
    with redis.Redis.from_url(embedded.cache_url(var)) as cache:
        assert cache.ping()


@pytest.fixture
def client_of():
    servers = []

    def start(var):
        from incubator.embedded.valkey import EmbeddedValkey

        servers.append(EmbeddedValkey(var / "valkey", embedded.socket_dir(var)))
        servers[-1].start()

    yield start
    for server in servers:
        server.kill()


def test_database_address_names_the_socket_folder_for_django_and_libpq(tmp_path):
    from environ import Env
    from psycopg.conninfo import conninfo_to_dict

    var = tmp_path / "a b#c%d+é,;x"
    url = embedded.database_url(var)
    assert Env.db_url_config(url)["OPTIONS"]["host"] == str(embedded.socket_dir(var))
    assert conninfo_to_dict(url)["host"] == str(embedded.socket_dir(var))
