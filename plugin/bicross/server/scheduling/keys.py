"""What tells a sequence from every other that its model could be given, without its text."""

from hashlib import blake2b

from bicross.runtime import TokenSequence

Key = bytes
KEY_BYTES = 16


def key_of(sequence: TokenSequence, secret: bytes) -> Key:
    """The same for two sequences of one model where it computes the same for both.

    `secret` is the model's own, which nobody outside knows: so no two models' keys meet, and no
    client can make two of its texts look alike.
    """
    about = (
        f"{sequence.input_type} {sequence.length} {sequence.prompt_tokens} "
        f"{sequence.expanded} {sequence.attends_expanded} "
    )
    parts = (about.encode(), sequence.ids.tobytes(), sequence.type_ids.tobytes())
    return blake2b(b"".join(parts), digest_size=KEY_BYTES, key=secret).digest()
