//! The variables of a network: made from a seed, kept in the network's order.

mod initial;
mod specification;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Device, Error, Result, Shape, Tensor, Var};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};

pub(crate) use specification::recorded;
pub use specification::{ParameterSpec, Role};

/// One variable of a network.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name, `layer1.0.conv1.weight`.
    pub name: String,
    /// The variable that the network computes with; setting it changes the network.
    pub var: Var,
    /// What it is for.
    pub role: Role,
}

/// A store of variables that a network is built from, as candle's `VarMap` is, with two differences: variables
/// keep the order in which the network asked for them, which is PyTorch's `named_parameters()` order; and their
/// starting values depend on the seed and their name alone, not on what else was made, or when.
///
/// Clones share the variables.
#[derive(Debug, Clone)]
pub struct Parameters {
    seed: u64,
    entries: Arc<Mutex<Vec<Parameter>>>,
}

impl Parameters {
    /// An empty store whose variables will start as `seed` says.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, entries: Arc::default() }
    }

    /// A builder of f32 networks on `device` from this store.
    ///
    /// Asking it for a name twice gives the same variable twice.
    pub fn builder(&self, device: &Device) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(self.clone()), DType::F32, device.clone())
    }

    /// Every variable, in the network's order.
    pub fn all(&self) -> Vec<Parameter> {
        self.lock().clone()
    }

    /// Those that training updates by their gradient, with their names, in the network's order.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        self.with_role(Role::Trainable)
    }

    /// Those that training leaves as they are, with their names, in the network's order.
    pub fn frozen(&self) -> Vec<(String, Var)> {
        self.with_role(Role::Frozen)
    }

    /// The running statistics, with their names, in the network's order.
    pub fn buffers(&self) -> Vec<(String, Var)> {
        self.with_role(Role::Statistic)
    }

    /// The variable called `name`.
    pub fn get(&self, name: &str) -> Option<Var> {
        self.lock().iter().find(|p| p.name == name).map(|p| p.var.clone())
    }

    /// Gives every variable made so far the role that `role` says of its name. Without it, each has
    /// [that of its name](Role::of).
    pub fn set_roles(&self, role: impl Fn(&str) -> Role) {
        self.lock().iter_mut().for_each(|parameter| parameter.role = role(&parameter.name));
    }

    fn with_role(&self, role: Role) -> Vec<(String, Var)> {
        self.lock().iter().filter(|p| p.role == role).map(|p| (p.name.clone(), p.var.clone())).collect()
    }

    // A panic elsewhere leaves the list whole: entries are only ever pushed.
    fn lock(&self) -> MutexGuard<'_, Vec<Parameter>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimpleBackend for Parameters {
    fn get(&self, shape: Shape, name: &str, start: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        if let Some(var) = Parameters::get(self, name) {
            if *var.shape() != shape {
                let msg = format!("{name} was made before, in another shape");
                return Err(Error::UnexpectedShape { msg, expected: shape, got: var.shape().clone() }.bt());
            }
            return Ok(var.into_inner());
        }
        let value = initial::values(start, self.seed, name, shape.elem_count())?;
        let var = Var::from_tensor(
            &Tensor::from_vec(value, shape, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)?,
        )?;
        self.lock().push(Parameter { name: name.to_owned(), var: var.clone(), role: Role::of(name) });
        Ok(var.into_inner())
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        let found = Parameters::get(self, name).map(Var::into_inner);
        found.ok_or_else(|| Error::CannotFindTensor { path: name.to_owned() }.bt())
    }

    fn contains_tensor(&self, name: &str) -> bool {
        Parameters::get(self, name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform(bound: f64) -> Init {
        Init::Uniform { lo: -bound, up: bound }
    }

    #[test]
    fn values_depend_on_seed_and_name_alone() {
        let value = |seed, before: &[&str], name| {
            let vb = Parameters::seeded(seed).builder(&Device::Cpu);
            for other in before {
                vb.get_with_hints(7, other, uniform(1.0)).unwrap();
            }
            vb.get_with_hints((3, 2), name, uniform(0.5))
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1::<f32>()
                .unwrap()
        };
        let a = value(1, &[], "a.weight");
        assert_eq!(a, value(1, &["b", "c"], "a.weight"));
        assert_ne!(a, value(2, &[], "a.weight"));
        assert_ne!(a, value(1, &[], "b.weight"));
        assert!(a.iter().all(|v| v.abs() <= 0.5));
    }

    #[test]
    fn order_and_roles_are_kept_and_a_name_is_one_variable() {
        let parameters = Parameters::seeded(0);
        let vb = parameters.builder(&Device::Cpu).pp("z");
        for name in ["weight", "bias", "running_mean", "running_var"] {
            vb.get_with_hints(2, name, Init::Const(1.0)).unwrap();
        }
        let first = vb.get(2, "weight").unwrap();
        parameters.get("z.weight").unwrap().set(&Tensor::new(&[5f32, 6.0], &Device::Cpu).unwrap()).unwrap();
        assert_eq!(first.to_vec1::<f32>().unwrap(), [5.0, 6.0]);
        let names = |list: Vec<(String, Var)>| list.into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(names(parameters.trainable()), ["z.weight", "z.bias"]);
        assert_eq!(names(parameters.buffers()), ["z.running_mean", "z.running_var"]);
        parameters.set_roles(|name| if name == "z.weight" { Role::Frozen } else { Role::of(name) });
        assert_eq!(names(parameters.trainable()), ["z.bias"]);
        assert_eq!(names(parameters.frozen()), ["z.weight"]);
        let error = vb.get(3, "weight").unwrap_err().to_string();
        assert!(error.contains("z.weight") && error.contains("[3]") && error.contains("[2]"), "{error}");
    }
}
