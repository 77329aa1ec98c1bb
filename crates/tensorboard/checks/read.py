"""Reads a folder of event files with TensorBoard's own readers: python checks/read.py FOLDER (TensorBoard 2.21).

Prints what is there, and fails where TensorBoard would show a step twice, no whole picture or histogram, or settings without their results.
"""

import collections
import io
import sys

from PIL import Image
from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.plugins.hparams import metadata

ALL = dict.fromkeys(event_accumulator.DEFAULT_SIZE_GUIDANCE, 0)


def each_step_once(tag, events):
    steps = [event.step for event in events]
    assert steps == sorted(set(steps)), f"{tag}: steps {steps}"
    return steps


def told(kind, tag, steps, what):
    print(f"{kind:9} {tag:45} {len(steps):5} from step {steps[0]} to {steps[-1]}; last: {what}")


def classic(folder):
    """As scripts and older plugins read them, which is as torch.utils.tensorboard writes them."""
    read = event_accumulator.EventAccumulator(folder, size_guidance=ALL)
    read.Reload()
    for tag in read.scalars.Keys():
        events = read.Scalars(tag)
        told("scalar", tag, each_step_once(tag, events), f"{events[-1].value:.6g}")
    for tag in read.histograms.Keys():
        events = read.Histograms(tag)
        last = events[-1].histogram_value
        assert sum(last.bucket) == last.num and last.bucket_limit[-1] == last.max, tag
        told("histogram", tag, each_step_once(tag, events), f"{last.num:.0f} in {last.min:.4g}..{last.max:.4g}")
    for tag in read.images.Keys():
        events = read.Images(tag)
        last = events[-1]
        image = Image.open(io.BytesIO(last.encoded_image_string))
        image.load()
        assert image.size == (last.width, last.height), tag
        told("image", tag, each_step_once(tag, events), f"{last.width}x{last.height}")


def modern(folder):
    """As TensorBoard's own plugins read them."""
    read = plugin_event_accumulator.EventAccumulator(folder, tensor_size_guidance=collections.defaultdict(int), size_guidance=ALL)
    read.Reload()
    plugins = {}
    for plugin in ("scalars", "histograms", "images", "text", "hparams"):
        plugins[plugin] = read.PluginTagToContent(plugin) if plugin in read.ActivePlugins() else {}
        print(f"{plugin}: {len(plugins[plugin])} tags")
    for tag in [tag for plugin in ("scalars", "histograms", "images", "text") for tag in plugins[plugin]]:
        each_step_once(tag, read.Tensors(tag))
    settings = plugins["hparams"]
    if settings:
        start = metadata.parse_session_start_info_plugin_data(settings[metadata.SESSION_START_INFO_TAG])
        experiment = metadata.parse_experiment_plugin_data(settings[metadata.EXPERIMENT_TAG])
        assert sorted(start.hparams) == [info.name for info in experiment.hparam_infos]
        for info in experiment.metric_infos:
            assert info.name.tag in plugins["scalars"], info.name.tag
        for name, value in sorted(start.hparams.items()):
            print(f"  {name} = {getattr(value, value.WhichOneof('kind'))}")
        if metadata.SESSION_END_INFO_TAG in settings:
            end = metadata.parse_session_end_info_plugin_data(settings[metadata.SESSION_END_INFO_TAG])
            print(f"  ended with status {end.status}")


if __name__ == "__main__":
    classic(sys.argv[1])
    modern(sys.argv[1])
