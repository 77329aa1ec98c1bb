#!/usr/bin/env python3
"""How fast PyTorch trains the networks that `cargo xtask bench` measures, on this machine's CPU or GPU.

    python3 -m venv ~/torch && ~/torch/bin/pip install torch numpy
    ~/torch/bin/python torch_peer.py --work resnet18 --precision bf16            # one setting
    ~/torch/bin/python torch_peer.py --work resnet18 --precision bf16 --best     # the fastest of four

The four settings are eager or compiled, each with the C library's allocator or with tcmalloc (Debian's
libtcmalloc-minimal4), which keeps freed pages. With --device cuda there are two, eager and compiled; cuDNN's engines are then
chosen by timing, and f32 is f32 throughout, without TF32. Tensors are channels-last; bf16 is autocast. Data are random and resident.

One JSON line: img_per_s is the median of --steps training steps (forward, backward, SGD with Nesterov momentum and
weight decay) after three untimed ones, eval_img_per_s that of forward passes without gradients, peak_rss_mb the most
memory held by then, in MiB, the GPU's left out. The errors are distances from the same network in f64, on a batch of four filled from a
counter, as `pipeline bench train-step` takes them.
"""
import argparse
import ctypes.util
import json
import math
import os
import resource
import subprocess
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


# ------------------------------------------------------------------ networks


def layer_norm(channels):
    """Over channels and pixels, with a weight and a bias for each channel."""
    return nn.GroupNorm(1, channels)


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, norm):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = norm(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), norm(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    """kuangliu/pytorch-cifar's, of basic blocks."""

    def __init__(self, blocks=(2, 2, 2, 2), norm=nn.BatchNorm2d, strides=(1, 2, 2, 2)):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = norm(64)
        inputs = 64
        for i, (outputs, stride, count) in enumerate(zip((64, 128, 256, 512), strides, blocks), 1):
            layer = []
            for k in range(count):
                layer.append(BasicBlock(inputs, outputs, stride if k == 0 else 1, norm))
                inputs = outputs
            setattr(self, f"layer{i}", nn.Sequential(*layer))
        self.linear = nn.Linear(512, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(x.mean((2, 3)))


def conv_norm_relu(inputs, outputs, pool=False):
    conv = [nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)]
    pooling = [nn.MaxPool2d(2)] if pool else []
    return nn.Sequential(*conv, *pooling, nn.BatchNorm2d(outputs), nn.ReLU())


class ResidualLayer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.down = conv_norm_relu(inputs, outputs, pool=True)
        self.res = nn.Sequential(conv_norm_relu(outputs, outputs), conv_norm_relu(outputs, outputs))

    def forward(self, x):
        x = self.down(x)
        return x + self.res(x)


class CustomResNet(nn.Module):
    """After David Page's ResNet-9."""

    def __init__(self):
        super().__init__()
        self.prep = conv_norm_relu(3, 64)
        self.layer1 = ResidualLayer(64, 128)
        self.layer2 = conv_norm_relu(128, 256, pool=True)
        self.layer3 = ResidualLayer(256, 512)
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.prep(x))))
        return self.fc(F.max_pool2d(x, 4).flatten(1))


def speedrun_norm(channels):
    norm = nn.BatchNorm2d(channels, momentum=0.4, eps=1e-12)
    norm.weight.requires_grad_(False)
    return norm


def speedrun_group(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.MaxPool2d(2), speedrun_norm(outputs), nn.GELU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), speedrun_norm(outputs), nn.GELU())


class SpeedrunNet(nn.Module):
    """Keller Jordan's cifar10-airbench, the 94 % network: frozen whitening filters, frozen norm weights, GELU."""

    def __init__(self):
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.whiten.weight.requires_grad_(False)
        self.group1 = speedrun_group(24, 64)
        self.group2 = speedrun_group(64, 256)
        self.group3 = speedrun_group(256, 256)
        self.head = nn.Linear(256, 10, bias=False)

    def forward(self, x):
        x = self.group3(self.group2(self.group1(F.gelu(self.whiten(x)))))
        return self.head(F.max_pool2d(x, 3).flatten(1)) / 9


# name: (network, batch)
WORK = {
    "resnet18": (ResNet, 128),
    "resnet34": (lambda: ResNet((3, 4, 6, 3)), 128),
    "resnet18_ln": (lambda: ResNet(norm=layer_norm, strides=(1, 2, 2, 1)), 128),
    "custom_resnet": (CustomResNet, 512),
    "speedrun": (SpeedrunNet, 1024),
}


# ------------------------------------------------------------------ speed


def autocast(precision, device):
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def finished(device):
    """Waits for what was begun on a GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def device_name(device):
    """As `pipeline bench train-step` calls it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def rate(function, images, times, device):
    """Images a second, by the median time."""
    seconds = []
    for _ in range(times):
        finished(device)
        began = time.perf_counter()
        function()
        finished(device)
        seconds.append(time.perf_counter() - began)
    seconds.sort()
    half = times // 2
    return images / (seconds[half] if times % 2 else (seconds[half - 1] + seconds[half]) / 2)


def peak_rss_mb():
    """MiB. getrusage's figure is handed on from the process that started this one, the kernel's own is not."""
    try:
        with open("/proc/self/status") as status:
            return math.ceil(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024)
    except OSError:
        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return math.ceil(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def measure(args):
    make, images = WORK[args.work]
    images = args.batch or images
    torch.manual_seed(0)
    device = args.device
    model = make().train().to(device).to(memory_format=torch.channels_last)
    x = torch.randn(images, 3, 32, 32).to(device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (images,)).to(device)
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(trainable, lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    network = torch.compile(model) if args.compile else model

    def step():
        optimiser.zero_grad(set_to_none=True)
        with autocast(args.precision, device):
            loss = F.cross_entropy(network(x), labels)
        loss.backward()
        optimiser.step()

    for _ in range(3):
        step()
    training = rate(step, images, args.steps, device)
    model.eval()
    with torch.no_grad(), autocast(args.precision, device):
        network(x)
        network(x)
        evaluation = rate(lambda: network(x), images, max(3, args.steps // 2), device)
    return {
        "peer": "torch " + torch.__version__, "device": device_name(device), "work": args.work, "precision": args.precision, "batch": images,
        "threads": torch.get_num_threads(), "img_per_s": float(f"{training:.4g}"),
        "eval_img_per_s": float(f"{evaluation:.4g}"), "peak_rss_mb": peak_rss_mb(), "steps": args.steps,
        "compiled": args.compile, "allocator": args.allocator}


# ------------------------------------------------------------------ errors


def uniform(seed, shape, bound):
    """Element i in [-bound, bound), f32: (2u - 1)·bound, u = (splitmix64(seed·1_000_003 + i) >> 40) / 2^24."""
    def wrapped(value):
        """As a signed integer of 64 bits."""
        value &= (1 << 64) - 1
        return value - (1 << 64) if value >> 63 else value

    def shifted(x, by):
        """To the right, filled with zeros."""
        return (x >> by) & ((1 << (64 - by)) - 1)

    x = torch.arange(math.prod(shape)) + wrapped(seed * 1_000_003 + 0x9E3779B97F4A7C15)
    x = (x ^ shifted(x, 30)) * wrapped(0xBF58476D1CE4E5B9)
    x = (x ^ shifted(x, 27)) * wrapped(0x94D049BB133111EB)
    u = shifted(x ^ shifted(x, 31), 40).float() / (1 << 24)
    return ((2 * u - 1) * torch.tensor(bound, dtype=torch.float32)).reshape(shape)


def fill(model):
    """Parameter number k from `uniform(1 + k, …)`."""
    with torch.no_grad():
        for k, (name, p) in enumerate(model.named_parameters()):
            if p.dim() == 4:
                value = uniform(1 + k, p.shape, math.sqrt(6 / math.prod(p.shape[1:])))
            elif p.dim() == 2:
                value = uniform(1 + k, p.shape, math.sqrt(1 / p.shape[1]))
            elif name.endswith("weight"):
                value = 1 + uniform(1 + k, p.shape, 0.2)
            else:
                value = uniform(1 + k, p.shape, 0.1)
            p.copy_(value)
    return model


def gradients(work, precision, dtype, device):
    """Logits, and each trainable parameter's gradient, of the batch of four."""
    model = fill(WORK[work][0]().train())
    model = model.to(device, dtype).to(memory_format=torch.channels_last)
    x = uniform(501, (4, 3, 32, 32), 1.0).to(device, dtype).contiguous(memory_format=torch.channels_last)
    with autocast(precision, device):
        logits = model(x)
        loss = F.cross_entropy(logits, torch.tensor([3, 8, 0, 5], device=device))
    loss.backward()
    trained = {n: p.grad.cpu().double() for n, p in model.named_parameters() if p.requires_grad}
    return logits.detach().cpu().double(), trained


def errors(args):
    logits, found = gradients(args.work, args.precision, torch.float32, args.device)
    exact, wanted = gradients(args.work, "f64", torch.float64, torch.device("cpu"))
    difference = torch.cat([
        # In the order of the shape, whatever the memory format is.
        (found[name].contiguous().flatten()[:4] - want.contiguous().flatten()[:4]) / want.square().mean().sqrt()
        for name, want in wanted.items()])
    return {
        "logits_error": float(f"{float((logits - exact).norm() / exact.norm()):.4g}"),
        "gradient_error": float(f"{float(difference.square().mean().sqrt()):.4g}"),
        "gradient_error_max": float(f"{float(difference.abs().max()):.4g}")}


# ------------------------------------------------------------------ settings


def tcmalloc():
    """The library's name, or None."""
    return ctypes.util.find_library("tcmalloc_minimal") or ctypes.util.find_library("tcmalloc")


def start_with_tcmalloc():
    """Starts this program anew, under that allocator, unless it is already."""
    if "tcmalloc" in os.environ.get("LD_PRELOAD", ""):
        return
    library = tcmalloc()
    if library is None:
        sys.exit("there is no tcmalloc here; on Debian: apt install libtcmalloc-minimal4")
    os.execve(sys.executable, [sys.executable, *sys.argv], dict(os.environ, LD_PRELOAD=library))


def best(argv, device):
    """Each setting in a process of its own. The fastest in training is printed, with the highest evaluation rate of any of
    them, and with what each did."""
    on_cpu = device.type == "cpu"
    allocators = ["default"] + (["tcmalloc"] if on_cpu and tcmalloc() else [])
    if on_cpu and len(allocators) == 1:
        print("no tcmalloc here, with which PyTorch is faster (Debian: libtcmalloc-minimal4)", file=sys.stderr)
    tried = []
    for setting in ([], ["--compile"]):
        for allocator in allocators:
            command = [sys.executable, __file__, *argv, *setting, "--allocator", allocator]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
            if done.returncode == 0 and lines:
                tried.append(json.loads(lines[-1]))
            else:
                print(f"this setting failed: {' '.join([*setting, allocator])}", file=sys.stderr)
    if not tried:
        sys.exit("every setting failed")
    keys = ("compiled", "allocator", "img_per_s", "eval_img_per_s", "peak_rss_mb")
    fastest = max(tried, key=lambda line: line["img_per_s"])
    evaluation = max(line["eval_img_per_s"] for line in tried)
    return dict(fastest, eval_img_per_s=evaluation, tried=[{key: line[key] for key in keys} for line in tried])


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("allowed is 1 or more")
    return value


def existing_device(text):
    """`cpu`, `cuda` or `cuda:1`."""
    try:
        device = torch.device(text)
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{text} is no device; there are cpu, cuda and cuda:1") from error
    if device.type not in ("cpu", "cuda"):
        raise argparse.ArgumentTypeError(f"{text} is not measured on; there are cpu, cuda and cuda:1")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise argparse.ArgumentTypeError(f"{text} is not there; this PyTorch finds {torch.cuda.device_count()} GPUs")
    return device


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--work", choices=list(WORK), default="resnet18")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--batch", type=positive, help="images in a batch")
    parser.add_argument("--threads", type=positive, help="all cores unless given")
    parser.add_argument("--device", type=existing_device, default="cpu", help="cpu, cuda or cuda:1")
    parser.add_argument("--steps", type=positive, default=5, help="timed training steps")
    parser.add_argument("--compile", action="store_true", help="by torch.compile")
    parser.add_argument("--allocator", choices=["default", "tcmalloc"], default="default")
    parser.add_argument("--best", action="store_true", help="the fastest setting")
    args = parser.parse_args()
    if args.best:
        if args.compile or args.allocator != "default":
            parser.error("--best tries every setting; it takes neither --compile nor --allocator")
        result = best([word for word in sys.argv[1:] if word != "--best"], args.device)
    else:
        if args.allocator == "tcmalloc":
            start_with_tcmalloc()
        if args.threads:
            torch.set_num_threads(args.threads)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        result = measure(args)
        result.update(errors(args))
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
