use std::collections::HashMap;

use crate::NormRow;

/// What `norms.csv` holds, parameter by parameter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Norms {
    /// Counted from 1.
    pub epochs: Vec<u64>,
    /// Each epoch's last step, at which the gradients were taken.
    pub steps: Vec<u64>,
    /// In the order of their first rows.
    pub parameters: Vec<ParameterNorms>,
}

/// A parameter's norms, one an epoch; NaN where an epoch has none.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterNorms {
    /// The parameter's name, as in the weights' file.
    pub name: String,
    /// After each epoch.
    pub weight: Vec<f64>,
    /// In each epoch's last step; empty where no parameter's ever reached the host.
    pub gradient: Vec<f64>,
}

impl Norms {
    /// Those of a table's rows.
    pub fn of(rows: &[NormRow]) -> Self {
        let mut norms = Self::default();
        for row in rows {
            if norms.epochs.last() != Some(&row.epoch) {
                norms.epochs.push(row.epoch);
                norms.steps.push(row.step);
            }
        }
        let (epochs, known) = (norms.epochs.len(), rows.iter().any(|row| row.gradient_norm.is_some()));
        let none = |row: &NormRow| ParameterNorms {
            name: row.parameter.clone(),
            weight: vec![f64::NAN; epochs],
            gradient: vec![f64::NAN; if known { epochs } else { 0 }],
        };
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut epoch = 0;
        for row in rows {
            if norms.epochs[epoch] != row.epoch {
                epoch += 1;
            }
            let place = *places.entry(&row.parameter).or_insert_with(|| {
                norms.parameters.push(none(row));
                norms.parameters.len() - 1
            });
            let parameter = &mut norms.parameters[place];
            parameter.weight[epoch] = row.weight_norm;
            if let (Some(gradient), Some(norm)) = (parameter.gradient.get_mut(epoch), row.gradient_norm) {
                *gradient = norm;
            }
        }
        norms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(epoch: u64, parameter: &str, weight_norm: f64, gradient_norm: Option<f64>) -> NormRow {
        NormRow { epoch, step: 10 * epoch, parameter: parameter.to_owned(), weight_norm, gradient_norm }
    }

    #[test]
    fn norms_are_gathered_by_parameter() {
        let rows = [
            row(3, "b", 1.0, Some(5.0)),
            row(3, "a", 2.0, Some(6.0)),
            row(4, "a", 4.0, None),
            row(4, "b", 3.0, Some(7.0)),
            row(5, "b", 8.0, Some(9.0)),
        ];
        let norms = Norms::of(&rows);
        assert_eq!((&norms.epochs[..], &norms.steps[..]), (&[3, 4, 5][..], &[30, 40, 50][..]));
        let [b, a] = &norms.parameters[..] else { panic!("{} parameters", norms.parameters.len()) };
        let of_b = ("b", &[1.0, 3.0, 8.0][..], &[5.0, 7.0, 9.0][..]);
        assert_eq!((b.name.as_str(), &b.weight[..], &b.gradient[..]), of_b);
        assert_eq!((a.name.as_str(), &a.weight[..2]), ("a", &[2.0, 4.0][..]));
        assert!(a.weight[2].is_nan() && a.gradient[0] == 6.0);
        assert!(a.gradient[1..].iter().all(|norm| norm.is_nan()));
    }

    #[test]
    fn gradients_that_stayed_on_a_device_are_none() {
        let norms = Norms::of(&[row(1, "a", 2.0, None), row(2, "a", 3.0, None)]);
        assert_eq!(
            (&norms.parameters[0].weight[..], norms.parameters[0].gradient.len()),
            (&[2.0, 3.0][..], 0)
        );
        assert_eq!(Norms::of(&[]), Norms::default());
    }
}
