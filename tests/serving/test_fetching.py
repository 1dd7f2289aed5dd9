from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from dogbreed.serving.error import RequestError
from dogbreed.serving.fetching.allowance import Allowance
from dogbreed.serving.fetching.fetcher import AT_ONCE, REDIRECTS, Fetcher, fetcher_of
from dogbreed.serving.fetching.places import Place
from tests.serving.tls_host import NAME, PUBLIC, Host, answer, redirect, says, tls_host

PHOTO = b"a photo's bytes"
URL = f"https://{NAME}/dog.png?size=2"
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:93.184.216.34",
    "fe80::1",
    "fe80::1%1",
    "2606:4700::1%1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
]

UNLISTED = [
    "https://127.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://127.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://localhost/",
    "https://localhost.localdomain/",
    "https://other.example/",
    "https://sub.photos.example/",
    "https://photos.example.evil.example/",
    "https://evil.example/photos.example",
    "https://photos.example./",
    "https://PHOTOS.example/",
    "HTTPS://photos.example/",
    "http://photos.example/",
    "ftp://photos.example/",
    "file:///etc/passwd",
    "gopher://photos.example/",
    "//photos.example/",
    "photos.example/a.png",
    "https:photos.example/",
    "https:///photos.example/",
    "https://photos.example",
    "https://photos.example:80/",
    "https://photos.example:0443/",
    "https://photos.example:99999/",
    "https://photos.example:/",
    "https://user@photos.example/",
    "https://photos.example@evil.example/",
    "https://evil.example#@photos.example/",
    "https://evil.example\\@photos.example/",
    "https://photos.example\\.evil.example/",
    "https://photos.example/a\r\nHost: evil.example",
    "https://photos.example/a b",
    "https://photos.example/\x00",
    "https://photos.example/a\\b",
    "https://photos.example/%zz",
    "https://photos.example/#a",
    "https://photos.example/\u00e4.png",
    "https://ph\u00f6tos.example/",
    "https://photos\u3002example/",
    "https://photos.examp\u217ce/",
    "https://\uff50hotos.example/",
    "https://photos.example\u200b/",
    " https://photos.example/",
    "https://photos.example/\n",
    "https://photos..example/",
    "https://-photos.example/",
    "https://photos.example/" + "a" * 3000,
    "https://" + "a." * 200 + "example/",
    "",
]


def allowance(most: int = 2**20, seconds: float = 20.0) -> Allowance:
    return Allowance(most, seconds)


@pytest.fixture
def host() -> Iterator[Host]:
    with tls_host(says(answer(PHOTO))) as found:
        yield found


def refused(fetcher: Fetcher, url: str = URL, allowed: Allowance | None = None) -> RequestError:
    with pytest.raises(RequestError) as error:
        fetcher.fetch(url, allowed or allowance())
    assert 400 <= error.value.status < 500
    assert "\n" not in str(error.value)
    # Neither an address nor what was found there.
    assert not any(word in str(error.value) for word in ("127.", "169.254", "errno", "SECRET"))
    return error.value


def test_a_photo_of_a_listed_host_is_fetched_from_the_address_that_was_checked(host: Host) -> None:
    left = allowance(100)
    assert host.fetcher().fetch(URL, left) == PHOTO
    assert left.bytes_left == 100 - len(PHOTO)
    assert host.resolved == [NAME]
    assert host.connected == [(PUBLIC, 443)]
    lines = host.heard[0].decode().split("\r\n")
    assert lines[0] == "GET /dog.png?size=2 HTTP/1.1"
    assert {"Host: photos.example", "Accept-Encoding: identity"} <= set(lines)
    assert not [line for line in lines if line.lower().startswith(("cookie", "authorization"))]


def test_a_port_is_asked_only_where_it_is_listed(host: Host) -> None:
    fetcher = host.fetcher(f"{NAME}:8443")
    assert fetcher.fetch(f"https://{NAME}:8443/a.png", allowance()) == PHOTO
    assert host.connected == [(PUBLIC, 8443)]
    assert b"\r\nHost: photos.example:8443\r\n" in host.heard[0]
    assert refused(fetcher).status == 400
    assert refused(host.fetcher(), f"https://{NAME}:8443/a.png").status == 400


def test_a_name_that_leads_to_an_address_that_is_not_public_is_never_connected_to(host: Host) -> None:
    fetcher = host.fetcher()
    for address in PRIVATE:
        for found in ([address], [PUBLIC, address], [address, PUBLIC, "2606:4700::1111"]):
            host.addresses = [found]
            assert refused(fetcher).status == 400, found
    assert host.connected == []


def test_addresses_of_the_public_internet_are_connected_to(host: Host) -> None:
    host.addresses = [["2606:4700::1111", PUBLIC]]
    assert host.fetcher().fetch(URL, allowance()) == PHOTO
    assert host.connected == [("2606:4700::1111", 443)]


def test_a_name_that_leads_elsewhere_the_second_time_is_asked_for_once(host: Host) -> None:
    host.addresses = [[PUBLIC], ["127.0.0.1"]]
    assert host.fetcher().fetch(URL, allowance()) == PHOTO
    assert host.resolved == [NAME]
    assert host.connected == [(PUBLIC, 443)]


def test_what_is_not_plainly_a_url_of_a_listed_host_is_refused_before_a_name_is_looked_up(host: Host) -> None:
    fetcher = host.fetcher()
    for url in UNLISTED:
        assert refused(fetcher, url).status == 400, url
    assert (host.resolved, host.connected) == ([], [])


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/iam",
        "https://[::1]/",
        "https://evil.example/",
        "http://photos.example/dog.png",
        "//evil.example/",
        "https://photos.example:8443/",
        "https://[",
        "ht\ttps://evil.example/",
    ],
)
def test_a_redirect_off_the_list_is_not_followed(location: str) -> None:
    with tls_host(says(redirect(location), answer(b"SECRET"))) as host:
        assert refused(host.fetcher()).status in (400, 424)
    assert (host.resolved, len(host.connected)) == ([NAME], 1)


def test_each_hop_of_a_redirect_is_checked_anew() -> None:
    with tls_host(says(redirect("/b.png"), redirect(f"https://{NAME}/c.png"), answer(PHOTO))) as host:
        assert host.fetcher().fetch(URL, allowance()) == PHOTO
    assert [heard.split(b" ")[1] for heard in host.heard] == [b"/dog.png?size=2", b"/b.png", b"/c.png"]
    with tls_host(says(redirect("/b.png"), answer(b"SECRET"))) as host:
        host.addresses = [[PUBLIC], ["169.254.169.254"]]
        assert refused(host.fetcher()).status == 400
    assert host.connected == [(PUBLIC, 443)]


def test_a_circle_of_redirects_ends() -> None:
    with tls_host(says(redirect("/"))) as host:
        assert "redirects" in str(refused(host.fetcher()))
    assert len(host.connected) == REDIRECTS + 1


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (answer(b"x" * 5000), 413),
        (answer(b"x" * 5000, Content_Length=""), 413),
        (answer(b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n", Content_Length="", Transfer_Encoding="chunked"), 413),
        (answer(b"-1\r\n" + b"x" * 200_000, Content_Length="", Transfer_Encoding="chunked"), 413),
        (answer(b"x" * 10, Content_Length="9" * 400), 424),
        (answer(b"x" * 10, Content_Length="11"), 424),
        (answer(b"zz\r\n", Content_Length="", Transfer_Encoding="chunked"), 424),
        (answer(b"x" * 10, Content_Encoding="gzip"), 424),
        (answer(b"x" * 10, Content_Type="text/html"), 424),
        (answer(b"x" * 10, Content_Type=""), 424),
        (answer(b"SECRET", "404 SECRET"), 424),
        (answer(b"SECRET", "500 SECRET"), 424),
        (answer(b"", "204 No Content"), 424),
        (answer(b"SECRET", "206 Partial"), 424),
        (b"SECRET\r\n\r\n", 424),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n", 424),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 70_000, 413),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000, 413),
        (b"", 424),
    ],
    ids=range(19),
)
def test_what_a_host_says_instead_of_a_photo_is_a_sentence(said: bytes, status: int) -> None:
    with tls_host(says(said)) as host:
        assert refused(host.fetcher(), allowed=allowance(1000)).status == status


def drip(secured: ssl.SSLSocket) -> None:
    secured.sendall(answer(b"", Content_Length="100000"))
    for _ in range(1000):
        secured.sendall(b"x")
        time.sleep(0.02)


def drip_headers(secured: ssl.SSLSocket) -> None:
    secured.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(1000):
        secured.sendall(b"a")
        time.sleep(0.02)


@pytest.mark.parametrize(
    "conversation", [drip, drip_headers, lambda secured: time.sleep(0.6)], ids=["the body", "a header", "nothing"]
)
def test_a_host_that_answers_drop_by_drop_is_left(conversation: object) -> None:
    with tls_host(conversation) as host:  # type: ignore[arg-type]
        started = time.monotonic()
        assert "sooner" in str(refused(host.fetcher(), allowed=allowance(seconds=0.3)))
        assert time.monotonic() - started < 1.5


def test_all_photos_of_a_request_share_its_time_and_its_bytes(host: Host) -> None:
    left = allowance(len(PHOTO) * 2 + 5)
    assert [host.fetcher().fetch(URL, left) for _ in range(2)] == [PHOTO] * 2
    assert refused(host.fetcher(), allowed=left).status == 413
    over = allowance(seconds=0.0)
    assert refused(host.fetcher(), allowed=over).status == 424


def test_a_certificate_of_another_name_or_of_a_stranger_is_refused() -> None:
    with tls_host(says(answer(b"SECRET")), name="other.example") as host:
        assert refused(host.fetcher()).status == 424
    with tls_host(says(answer(b"SECRET"))) as host:
        assert refused(host.fetcher(trust=False)).status == 424
    assert host.heard == []


def test_a_proxy_of_the_environment_is_not_used(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert host.fetcher().fetch(URL, allowance()) == PHOTO


def test_a_host_without_addresses_or_connections_is_a_sentence(host: Host) -> None:
    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        raise ConnectionRefusedError(111, "errno 127.0.0.1")

    def unknown(name: str, port: int, left: Allowance) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    place = frozenset([Place(NAME)])
    assert refused(Fetcher(place, resolve=host.resolve, connect=connect)).status == 424
    assert refused(Fetcher(place, resolve=unknown, connect=connect)).status == 424
    assert refused(Fetcher(place, resolve=lambda *_: [], connect=connect)).status == 400
    assert refused(Fetcher(place, resolve=lambda *_: ["nonsense"], connect=connect)).status == 424


def test_an_address_that_does_not_answer_is_followed_by_the_next(host: Host) -> None:
    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        if address[0] != PUBLIC:
            raise OSError(101, "Network is unreachable")
        return host.connect(address, seconds)

    trusting = host.fetcher()
    host.addresses = [["2606:4700::1111", PUBLIC]]
    fetcher = Fetcher(trusting.places, resolve=host.resolve, connect=connect, context=trusting.context)
    assert fetcher.fetch(URL, allowance()) == PHOTO


def test_no_more_photos_are_fetched_at_once_than_there_are_turns() -> None:
    reached, go_on = threading.Semaphore(0), threading.Event()

    def slow(name: str, port: int, left: Allowance) -> Sequence[str]:
        reached.release()
        go_on.wait(20)
        return []

    fetcher = Fetcher(frozenset([Place(NAME)]), resolve=slow)
    threads = [threading.Thread(target=refused, args=(fetcher,)) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
        assert reached.acquire(timeout=20)
    assert refused(fetcher).status == 429
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert refused(fetcher).status == 400


def test_half_of_the_threads_are_left_for_photos_at_hand() -> None:
    fetcher = fetcher_of((NAME,), 1)
    with fetcher.turns:
        assert refused(fetcher).status == 429


def test_the_time_of_the_fetches_begins_with_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    allowed = allowance(seconds=5)
    now[0] = 110
    assert allowed.seconds_left() == 5
    now[0] = 112
    assert allowed.seconds_left() == 3


def test_a_resolver_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    hang = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[object]:
        hang.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    started = time.monotonic()
    assert refused(Fetcher(frozenset([Place(NAME)])), allowed=allowance(seconds=0.2)).status == 424
    assert time.monotonic() - started < 5
    hang.set()
