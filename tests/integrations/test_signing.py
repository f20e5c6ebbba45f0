import base64

from hypothesis import given
from hypothesis import strategies as st

from integrations.webhooks import signing
from tests.standins.receiver import verify

# The sample of the specification.
SECRET, MESSAGE, STAMP = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_sample_of_the_specification_is_signed_as_it_says() -> None:
    assert signing.sign(SECRET, MESSAGE, STAMP, BODY) == SIGNATURE


def test_a_secret_is_256_bits_and_another_each_time() -> None:
    first, second = signing.new_secret(), signing.new_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32


def test_during_a_rotation_either_secret_verifies() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    headers = signing.headers(MESSAGE, STAMP, BODY, [new, old])
    assert headers["webhook-signature"].count("v1,") == 2
    assert verify([old], headers, BODY, STAMP)
    assert verify([new], headers, BODY, STAMP)
    assert not verify([signing.new_secret()], headers, BODY, STAMP)


def test_without_a_secret_there_is_no_signature() -> None:
    assert set(signing.headers(MESSAGE, STAMP, BODY, [])) == {"webhook-id", "webhook-timestamp"}


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_and_it_is_not_ours(place: int, change: int) -> None:
    body = bytearray(BODY)
    body[place] ^= change
    headers = signing.headers(MESSAGE, STAMP, BODY, [SECRET])
    assert verify([SECRET], headers, BODY, STAMP)
    assert not verify([SECRET], headers, bytes(body), STAMP)


@given(st.integers(0, 2**31))
def test_another_time_or_name_and_it_is_not_ours(other: int) -> None:
    headers = signing.headers(MESSAGE, STAMP, BODY, [SECRET])
    assert not verify([SECRET], {**headers, "webhook-id": f"msg_{other}"}, BODY, STAMP)
    assert verify([SECRET], {**headers, "webhook-timestamp": str(other)}, BODY, STAMP) == (other == STAMP)
