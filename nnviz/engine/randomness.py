"""One seed, a separate stream for each purpose: jobs with different models see the same data and batches."""

import hashlib

import torch


def stream(seed: int, purpose: str, index: int = 0) -> int:
    """A 63-bit seed for the `index`-th use of a purpose. Streams of other purposes and indices are independent."""
    digest = hashlib.blake2b(f"{seed}/{purpose}/{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int, purpose: str, index: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh torch.Generator for the stream."""
    return torch.Generator(device=device).manual_seed(stream(seed, purpose, index))
