"""Writes tests/golden with TensorBoard's own code: python checks/golden.py (TensorBoard 2.21).

events.bin: the events of tests/golden.rs, written by TensorBoard's messages and its RecordWriter.
histograms.json: values, and the buckets that TensorBoard's histogram plugin counts them in.
pixels.png: an image of 3 x 2 pixels.
"""

import io
import json
import pathlib

import numpy as np
from PIL import Image
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.histogram import summary_v2 as histogram
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util

FOLDER = pathlib.Path(__file__).parent.parent / "tests" / "golden"
WALL_TIME = 1700000000.25


def edges_and_counts(values):
    value = histogram.histogram_pb("h", values).value[0]
    return tensor_util.make_ndarray(value.tensor)


def histo(values):
    buckets = edges_and_counts(values)
    values = np.array(values, dtype=np.float64)
    return summary_pb2.HistogramProto(
        min=values.min(),
        max=values.max(),
        num=len(values),
        sum=values.sum(),
        sum_squares=(values * values).sum(),
        bucket_limit=buckets[:, 1],
        bucket=buckets[:, 2],
    )


def hparams(tag, **data):
    content = plugin_data_pb2.HParamsPluginData(**data).SerializeToString(deterministic=True)
    value = summary_pb2.Summary.Value(tag="_hparams_/" + tag)
    value.metadata.plugin_data.plugin_name = "hparams"
    value.metadata.plugin_data.content = content
    value.tensor.dtype = 1
    value.tensor.tensor_shape.dim.add()
    return value


def text(tag, words):
    value = summary_pb2.Summary.Value(tag=tag)
    value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = 7
    value.tensor.tensor_shape.dim.add(size=1)
    value.tensor.string_val.append(words.encode())
    return value


def events(png):
    yield event_pb2.Event(file_version="brain.Event:2")
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    yield event_pb2.Event(step=81, session_log=start)

    def summary(step, *args, **kwargs):
        value = args[0] if args else summary_pb2.Summary.Value(**kwargs)
        return event_pb2.Event(step=step, summary=summary_pb2.Summary(value=[value]))

    yield summary(81, tag="loss/train", simple_value=0.1)
    yield summary(82, tag="loss/train", simple_value=0.0)
    yield summary(82, tag="weights/conv1.weight", histo=histo([-1.0, 0.0, 0.25, 0.25, 3.0]))
    image = summary_pb2.Summary.Image(width=3, height=2, colorspace=3, encoded_image_string=png)
    yield summary(82, tag="figures/pixels", image=image)
    yield summary(0, text("recipe", "# s11 – ünïcode"))
    experiment = api_pb2.Experiment(
        hparam_infos=[
            api_pb2.HParamInfo(name="model", type=api_pb2.DATA_TYPE_STRING),
            api_pb2.HParamInfo(name="optim.lr", type=api_pb2.DATA_TYPE_FLOAT64),
            api_pb2.HParamInfo(name="optim.nesterov", type=api_pb2.DATA_TYPE_BOOL),
        ],
        metric_infos=[
            api_pb2.MetricInfo(
                name=api_pb2.MetricName(tag="accuracy/test"),
                display_name="test accuracy",
                dataset_type=api_pb2.DATASET_VALIDATION,
            ),
            api_pb2.MetricInfo(
                name=api_pb2.MetricName(tag="loss/train"),
                display_name="train loss",
                dataset_type=api_pb2.DATASET_TRAINING,
            ),
        ],
    )
    yield summary(0, hparams("experiment", experiment=experiment))
    info = plugin_data_pb2.SessionStartInfo(start_time_secs=WALL_TIME)
    info.hparams["model"].string_value = "resnet18"
    info.hparams["optim.lr"].number_value = 0.01
    info.hparams["optim.nesterov"].bool_value = True
    yield summary(0, hparams("session_start_info", session_start_info=info))
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS, end_time_secs=WALL_TIME)
    yield summary(0, hparams("session_end_info", session_end_info=end))


def main():
    FOLDER.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 14
    Image.fromarray(pixels).save(buffer, "PNG")
    (FOLDER / "pixels.png").write_bytes(buffer.getvalue())

    file = io.BytesIO()
    writer = RecordWriter(file)
    for event in events(buffer.getvalue()):
        event.wall_time = WALL_TIME
        writer.write(event.SerializeToString(deterministic=True))
    (FOLDER / "events.bin").write_bytes(file.getvalue())

    random = np.random.default_rng(0)
    cases = [
        random.normal(0, 0.05, 200).astype(np.float32).tolist(),
        random.uniform(-3, 7, 100).astype(np.float32).tolist(),
        [float(n) for n in range(31)],
        [-2.0, 1.0],
    ]
    cases = [{"values": case, "buckets": edges_and_counts(case).tolist()} for case in cases]
    (FOLDER / "histograms.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
