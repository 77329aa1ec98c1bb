#!/usr/bin/env python3
"""Checks checkpoints against PyTorch in both directions; needs `pip install torch numpy safetensors`.

    python checkpoints.py roundtrip [WORK_DIR]    Wick's file into PyTorch's network (strict), PyTorch's files into Wick
    python checkpoints.py fixtures                writes ../data/*.pth anew

The networks are kuangliu/pytorch-cifar's ResNet-18 and -34.
"""
import copy, pathlib, subprocess, sys, tempfile
import torch, torch.nn as nn, torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent


class BasicBlock(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, stride, 1, bias=False); self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False); self.bn2 = nn.BatchNorm2d(o)
        self.shortcut = nn.Sequential()
        if stride != 1 or i != o:
            self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, blocks=(2, 2, 2, 2), classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False); self.bn1 = nn.BatchNorm2d(64)
        i = 64
        for n, (o, s, b) in enumerate(zip((64, 128, 256, 512), (1, 2, 2, 2), blocks), 1):
            layers = []
            for k in range(b):
                layers.append(BasicBlock(i, o, s if k == 0 else 1)); i = o
            setattr(self, f"layer{n}", nn.Sequential(*layers))
        self.linear = nn.Linear(512, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(F.avg_pool2d(x, 4).flatten(1))


NETWORKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}


def images():
    """The two images of the example `logits`, NCHW."""
    i, c, row, column = torch.meshgrid(*map(torch.arange, (2, 3, 32, 32)), indexing="ij")
    return ((7 * row + 3 * column + 85 * c + 31 * i) % 256).float() / 128 - 1


def wick(*arguments):
    """The logits that the example prints."""
    run = subprocess.run(["cargo", "run", "--quiet", "-p", "wick-models", "--example", "logits", "--", *map(str, arguments)],
                         cwd=HERE, check=True, capture_output=True, text=True)
    name, *rows = run.stdout.splitlines()
    return name, torch.tensor([[float(v) for v in row.split()] for row in rows])


def compare(what, got, want):
    error = float((got - want).abs().max() / want.abs().max())
    print(f"{what}: logits differ by {error:.1e} of the largest")
    assert error <= 1e-4, (got, want)


def roundtrip(folder):
    import safetensors.torch
    folder.mkdir(parents=True, exist_ok=True)
    for name, blocks in NETWORKS.items():
        ours = folder / f"{name}-wick.safetensors"
        _, logits = wick("new", name, ours)
        net = ResNet(blocks)
        net.load_state_dict(safetensors.torch.load_file(ours), strict=True)
        with torch.no_grad(): compare(f"{name}, Wick's safetensors in PyTorch", net.eval()(images()), logits)

    torch.manual_seed(0)
    for name, blocks, classes in (("resnet18", NETWORKS["resnet18"], 10), ("resnet34", NETWORKS["resnet34"], 100)):
        net = ResNet(blocks, classes).train()
        optimizer = torch.optim.SGD(net.parameters(), 0.001, momentum=0.9)
        for _ in range(3):  # so that running statistics and the optimiser's state are those of use
            optimizer.zero_grad(); net(torch.randn(16, 3, 32, 32)).square().mean().backward(); optimizer.step()
        with torch.no_grad(): want = net.eval()(images())
        state = net.state_dict()
        wrapped = {"net": nn.DataParallel(net).state_dict(), "acc": 95.2, "epoch": 7}
        channels_last = copy.deepcopy(net).to(memory_format=torch.channels_last).state_dict()
        files = {
            "plain.pth": lambda f: torch.save(state, f),
            "net-module.pth": lambda f: torch.save(wrapped, f),
            "state_dict-optimizer.pth": lambda f: torch.save({"state_dict": state, "optimizer": optimizer.state_dict()}, f),
            "legacy.pth": lambda f: torch.save(wrapped | {"optimizer": optimizer.state_dict()}, f, _use_new_zipfile_serialization=False),
            "channels-last.pth": lambda f: torch.save(channels_last, f),
            "plain.safetensors": lambda f: safetensors.torch.save_file(state, f),
        }
        for file, save in files.items():
            path = folder / f"{name}-{file}"
            save(path)
            said, logits = wick(path)
            assert said == f"{name}, {classes} classes", said
            compare(f"{name}, {classes} classes, PyTorch's {file} in Wick", logits, want)
        half = folder / f"{name}-half.pth"
        torch.save({k: v.half() if v.is_floating_point() else v for k, v in state.items()}, half)
        with torch.no_grad():
            for p in [*net.parameters(), *net.buffers()]:
                if p.is_floating_point(): p.copy_(p.half().float())
            compare(f"{name}, PyTorch's half.pth in Wick", wick(half)[1], net(images()))


def fixtures():
    """Small files of each make. Element i of a tensor is i / 8 plus the tensor's position among them."""
    shapes = {"conv1.weight": (2, 3, 3, 3), "bn1.weight": (2,), "bn1.bias": (2,), "bn1.running_mean": (2,),
              "bn1.running_var": (2,), "linear.weight": (4, 2), "linear.bias": (4,)}
    state = {}
    for k, (name, shape) in enumerate(shapes.items()):
        state[name] = torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape) / 8 + k
    state["bn1.num_batches_tracked"] = torch.tensor(3)
    module = {f"module.{k}": v for k, v in state.items()}
    types = [torch.float64, torch.float16, torch.bfloat16, torch.float32]
    mixed = {k: v.to(types[i % 4]) if v.is_floating_point() else v for i, (k, v) in enumerate(state.items())}
    mixed["conv1.weight"] = mixed["conv1.weight"].contiguous(memory_format=torch.channels_last)
    mixed["linear.bias"] = nn.Parameter(mixed["linear.bias"])
    mixed["linear.weight"] = (torch.arange(-3, 13).div(8).add(5)).bfloat16()[3:11].view(4, 2)  # a view with an offset
    out = HERE.parent / "data"
    out.mkdir(exist_ok=True)
    torch.save(state, out / "plain.pth")
    torch.save({"net": module, "acc": 95.2, "epoch": 7}, out / "net_module.pth")
    torch.save({"net": module, "acc": 95.2, "epoch": 7}, out / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"state_dict": mixed, "best": torch.tensor(1.0)}, out / "mixed.pth")
    torch.save(nn.Linear(2, 1), out / "whole_module.pth")
    torch.save({"epoch": 3, "acc": 95.2}, out / "no_tensors.pth")
    torch.save({"conv1.weight": torch.zeros(2, dtype=torch.int32)}, out / "integers.pth")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fixtures"]: fixtures()
        case ["roundtrip", folder]: roundtrip(pathlib.Path(folder).resolve())
        case ["roundtrip"]:
            with tempfile.TemporaryDirectory() as folder: roundtrip(pathlib.Path(folder))
        case _: sys.exit(__doc__)
