/// A map's pixels by decreasing importance; those of the same importance in their own order.
pub(super) fn by_importance(map: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..map.len()).collect();
    order.sort_by(|&a, &b| map[b].total_cmp(&map[a]));
    order
}

/// By increasing importance, with the same order of those of the same importance.
pub(super) fn by_unimportance(map: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..map.len()).collect();
    order.sort_by(|&a, &b| map[a].total_cmp(&map[b]));
    order
}
