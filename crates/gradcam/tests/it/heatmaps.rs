//! From raw maps to heatmaps of an image's size.

use crate::{golden, reference};
use candle_core::{Device, Tensor};
use wick_gradcam::{MapStatus, heatmaps, normalise, resize_bilinear};

fn maps(values: &[f32], shape: (usize, usize, usize)) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).unwrap()
}

#[test]
fn negatives_become_0_and_the_rest_spans_0_to_1() {
    let raw = maps(&[-3., 0.5, 2., 1., /**/ 0.25, 0.5, 0.75, 1.25], (2, 2, 2));
    let got = normalise(&raw).unwrap();
    // The 1e-7 that is added to the maximum shows in the last digit.
    golden::assert_close("first", &got[0].values, &[0., 0.25, 1., 0.5], 2e-7);
    golden::assert_close("second", &got[1].values, &[0., 0.25, 0.5, 1.], 2e-7);
    for map in got {
        assert_eq!((map.height, map.width, map.status), (2, 2, MapStatus::Normal));
    }
}

#[test]
fn a_map_with_nothing_to_draw_says_why() {
    let raw = maps(&[-3., -0.5, /**/ 2., 2., /**/ 0., 0., /**/ -1., 0., /**/ -1., 2.], (5, 1, 2));
    let status: Vec<MapStatus> = normalise(&raw).unwrap().iter().map(|m| m.status).collect();
    use MapStatus::{AllNegative, Constant, Empty, Normal};
    assert_eq!(status, [AllNegative, Constant, Empty, AllNegative, Normal]);
    for map in heatmaps(&raw, 3, 4).unwrap().iter().take(4) {
        assert_eq!(map.values, [0.0; 12], "{:?}", map.status);
    }
}

/// As f32 leaves sums behind that are equal, or nowhere positive: rounding is not drawn, small values are.
#[test]
fn rounding_is_nothing_to_draw() {
    use MapStatus::{AllNegative, Constant, Normal};
    for (raw, status) in [
        ([-10., -12., 1e-9, -11.], AllNegative),
        ([-10., -12., 1.1e-5, -11.], AllNegative),
        ([-10., -12., 1.3e-5, -11.], Normal),
        ([-1e-9, -2e-9, 1e-12, -3e-9], Normal),
        ([2., 2. + 2f32.powi(-22), 2., 2.], Constant),
        ([2., 2. + 3e-6, 2., 2.], Normal),
        ([1e-9, 3e-9, 2e-9, 1e-9], Normal),
    ] {
        let map = &heatmaps(&maps(&raw, (1, 2, 2)), 2, 2).unwrap()[0];
        assert_eq!(map.status, status, "{raw:?}");
        let greatest = map.values.iter().copied().fold(0.0, f32::max);
        assert_eq!(greatest > 0.0, status == Normal, "{raw:?}: {:?}", map.values);
    }
}

// cv2.resize(np.array([[0, 1, 4], [9, 16, 25]], np.float32), (width, height)), OpenCV 4.11; 1e-6 is its f32.
#[test]
fn resizing_is_opencvs() {
    let source = [0., 1., 4., 9., 16., 25.];
    let resize = |to| resize_bilinear(&source, (2, 3), to).unwrap();
    assert_eq!(resize((2, 3)), source);
    let larger = [
        0.0, 0.142857, 0.571429, 1.0, 2.285714, 3.571429, 4.0, 0.9, 1.128571, 1.814286, 2.5, 4.042857,
        5.585714, 6.1, 4.5, 5.071428, 6.785715, 8.5, 11.071428, 13.642858, 14.5, 8.1, 9.014286, 11.757143,
        14.5, 18.1, 21.7, 22.9, 9.0, 10.0, 13.0, 16.0, 19.857143, 23.714285, 25.0,
    ];
    golden::assert_close("5×7", &resize((5, 7)), &larger, 1e-6);
    let doubled = [
        0.0, 0.25, 0.75, 1.75, 3.25, 4.0, 2.25, 2.875, 4.125, 5.875, 8.125, 9.25, 6.75, 8.125, 10.875,
        14.125, 17.875, 19.75, 9.0, 10.75, 14.25, 18.25, 22.75, 25.0,
    ];
    golden::assert_close("4×6", &resize((4, 6)), &doubled, 1e-6);
    golden::assert_close("1×2", &resize((1, 2)), &[5.5, 13.0], 1e-6);
    assert_eq!(resize_bilinear(&[2.5], (1, 1), (4, 3)).unwrap(), [2.5; 12]);

    // Of the squares of 0..16, 4×4.
    let squares: Vec<f32> = (0..16u8).map(|v| f32::from(v) * f32::from(v)).collect();
    let smaller = [3.055556, 7.166667, 14.611111, 42.166668, 60.5, 82.16667, 134.61111, 167.16666, 203.05556];
    golden::assert_close("3×3", &resize_bilinear(&squares, (4, 4), (3, 3)).unwrap(), &smaller, 1e-6);
    let narrower = [8.0, 11.5, 16.5, 22.7, 29.0, 104.0, 118.7, 136.5, 155.5, 173.0];
    golden::assert_close("2×5", &resize_bilinear(&squares, (4, 4), (2, 5)).unwrap(), &narrower, 1e-6);
}

// x = scale_cam_image(np.maximum(cam, 0), (5, 6)); x = scale_cam_image(np.maximum(x, 0)), pytorch-grad-cam 1.5.7
#[test]
fn heatmaps_are_scaled_and_enlarged_in_pytorch_grad_cams_order() {
    let raw = maps(&reference("GradCAM_of_given"), (2, 4, 4));
    let got = heatmaps(&raw, 6, 5).unwrap();
    let want = [
        0.0, 0.0, 0.0, 0.3, 0.9999999, 0.2176975, 0.0653092, 0.1397728, 0.3456819, 0.4999999, 0.3628292,
        0.1441249, 0.2581519, 0.3312449, 0.017028, 0.0725658, 0.1981504, 0.1725771, 0.0907693, 0.0851399,
        0.1757886, 0.158565, 0.199592, 0.1889255, 0.051084, 0.3515771, 0.1054732, 0.2480005, 0.3472006, 0.0,
    ];
    golden::assert_close("first", &got[0].values, &want, 1e-5);
    let want = [
        0.0, 0.3914092, 0.279578, 0.0, 0.0, 0.1442711, 0.6654249, 0.677759, 0.326719, 0.0, 0.3209682,
        0.8252763, 0.9604054, 0.6755815, 0.2, 0.4506721, 0.3686194, 0.498267, 0.7641559, 0.9999999,
        0.6448547, 0.2482193, 0.1913662, 0.4201164, 0.6898888, 0.8066112, 0.2419834, 0.0, 0.0539333,
        0.1797777,
    ];
    golden::assert_close("second", &got[1].values, &want, 1e-5);
    assert_eq!((got[1].height, got[1].width), (6, 5));
}
