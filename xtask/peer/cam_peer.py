#!/usr/bin/env python3
"""How long pytorch-grad-cam takes for what `bins/pipeline/examples/cam_speed.rs` does: ResNet-18, its last layer or another, on the CPU.

    pip install torch numpy grad-cam==1.5.7
    python cam_peer.py [LAYER [THREADS]]
"""
import statistics, sys, time
import torch, tqdm
import pytorch_grad_cam as cams
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
import torch_peer as peer

RUNS = 5
BATCHED = (cams.GradCAM, cams.GradCAMPlusPlus, cams.HiResCAM, cams.XGradCAM, cams.LayerCAM, cams.EigenCAM, cams.EigenGradCAM)
FORWARD = (cams.ScoreCAM, cams.AblationCAM)


def main():
    layer, threads = (sys.argv[1:] + ["layer4", "2"][len(sys.argv) - 1:])[:2]
    torch.set_num_threads(int(threads))
    tqdm.tqdm = lambda steps, **_: steps
    model = peer.WORK["resnet18"][0]().eval()
    for method in BATCHED + FORWARD:
        n = 20 if method in BATCHED else 1
        images, targets, seconds = torch.randn(n, 3, 32, 32), [ClassifierOutputTarget(3)] * n, []
        with method(model=model, target_layers=[getattr(model, layer)[-1]]) as cam:
            for _ in range(RUNS):
                start = time.perf_counter()
                cam(images, targets)
                seconds.append(time.perf_counter() - start)
        print(f"{method.__name__:24}{n:8}{statistics.median(seconds):12.3f}")


main()
