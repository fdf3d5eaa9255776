"""One thread: on small networks two only wait for one another."""

import torch

torch.set_num_threads(1)
