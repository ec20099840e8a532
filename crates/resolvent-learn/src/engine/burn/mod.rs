//! The networks on the `burn` framework: the same functions of the same parameters on the processor, on NVIDIA devices
//! (feature `cuda`) and on whatever Vulkan, Metal or DirectX 12 reach (feature `wgpu`), in f32.

mod recording;

use super::{Batch, Engine, Reply};
use crate::network::{Inputs, Network, Outputs, Pair, Tangent};
use burn::tensor::{DType, Device, Tensor, TensorData};
use recording::Recording;

/// Computes on a device of the `burn` framework. Parameters and batches come from the memory of the host for every call and
/// the results go back there, so a device is worth its transfers with large batches only.
///
/// # Panics
/// Computing panics if the device fails at it: memory that does not suffice, a driver that gives up.
#[derive(Debug, Clone)]
pub struct Burn {
    device: Device,
}

impl Burn {
    /// On the processor (burn's backend `flex`), with as many threads as rayon has.
    pub fn flex() -> Self {
        Self { device: Device::flex() }
    }

    /// On an NVIDIA device, counted from 0.
    ///
    /// # Errors
    /// If there is no such device, or it fails at a first small sum.
    #[cfg(feature = "cuda")]
    pub fn cuda(index: usize) -> crate::Result<Self> {
        Self::nth("CUDA", burn::tensor::DeviceType::Cuda, index)
    }

    /// On a graphics device, counted from 0: the discrete ones, then the integrated ones, then what imitates one.
    ///
    /// # Errors
    /// If there is no such device, or it fails at a first small sum.
    #[cfg(feature = "wgpu")]
    pub fn wgpu(index: usize) -> crate::Result<Self> {
        Self::nth("graphics", burn::tensor::DeviceType::Wgpu, index)
    }

    /// The drivers beneath panic where they cannot start, so both the search and a first sum are tried with the panic held.
    #[cfg(any(feature = "cuda", feature = "wgpu"))]
    fn nth(kind: &str, of: burn::tensor::DeviceType, index: usize) -> crate::Result<Self> {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        let refused = |why: String| crate::Error::Settings { what: format!("{kind} device {index}: {why}") };
        let devices = catch_unwind(|| Device::enumerate(of).into_vec())
            .map_err(|_| refused("the driver could not be started".into()))?;
        let found = devices.len();
        let device = devices.into_iter().nth(index).ok_or_else(|| refused(format!("there are {found}")))?;
        let sum = catch_unwind(AssertUnwindSafe(|| {
            let one = tensor(&device, &[1.0, 2.0], [2]);
            one.sum().try_into_vec_as::<f32>()
        }));
        match sum {
            Ok(Ok(sum)) if sum == [3.0] => Ok(Self { device }),
            _ => Err(refused("it was found, but did not add 1 and 2".into())),
        }
    }
}

/// Numbers of the host on a device.
fn tensor<const D: usize>(device: &Device, values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (device, DType::F32))
}

/// Numbers of a device on the host, in the order of their indices.
fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as().expect("the device computes")
}

/// What came out, on the device.
struct Out {
    field: Tensor<4>,
    heads: Option<Tensor<4>>,
    derivative: Option<Tensor<4>>,
    head_derivative: Option<Tensor<4>>,
}

impl Out {
    fn record(network: &Network, recording: &mut Recording<'_>, batch: &Batch) -> Self {
        let (side, sizes) = (network.side(), network.sizes());
        let image = [batch.n, side, side, sizes.inputs / (side * side)];
        let input = |values: &[f32], shape| tensor(recording.device(), values, shape);
        let points = input(&batch.points, image);
        let features = (sizes.features > 0).then(|| input(&batch.features, [batch.n, 1, 1, sizes.features]));
        if batch.directions.is_empty() {
            let Outputs { field, heads } = network.forward(recording, &Inputs { points, features });
            return Self { field, heads, derivative: None, head_derivative: None };
        }
        let points = Pair { value: points, tangent: Some(input(&batch.directions, image)) };
        let features = features.map(|value| {
            let moves = !batch.feature_directions.is_empty();
            let tangent = moves.then(|| input(&batch.feature_directions, [batch.n, 1, 1, sizes.features]));
            Pair { value, tangent }
        });
        let Outputs { field, heads } = network.forward(&mut Tangent(recording), &Inputs { points, features });
        let (heads, head_derivative) = heads.map_or((None, None), |pair| (Some(pair.value), pair.tangent));
        Self { field: field.value, heads, derivative: field.tangent, head_derivative }
    }

    fn reply(&self) -> Reply {
        let optional = |tensor: &Option<Tensor<4>>| tensor.clone().map_or_else(Vec::new, values);
        Reply {
            field: values(self.field.clone()),
            heads: optional(&self.heads),
            derivative: optional(&self.derivative),
            head_derivative: optional(&self.head_derivative),
        }
    }

    /// A number whose gradient by what came out is `by`.
    fn contracted(self, by: &Reply) -> Tensor<1> {
        let parts = [
            (Some(self.field), &by.field),
            (self.heads, &by.heads),
            (self.derivative, &by.derivative),
            (self.head_derivative, &by.head_derivative),
        ];
        let sums = parts.into_iter().filter_map(|(out, by)| {
            let out = out?;
            let by = tensor(&out.device(), by, out.dims());
            Some((out * by).sum())
        });
        sums.reduce(|a, b| a + b).expect("a network has a field")
    }
}

impl Engine for Burn {
    fn evaluate(&self, network: &Network, parameters: &[f32], batch: &Batch) -> Reply {
        Out::record(network, &mut Recording::new(&self.device, parameters), batch).reply()
    }

    fn gradient(
        &self,
        network: &Network,
        parameters: &[f32],
        batch: &Batch,
        loss: &mut dyn FnMut(&Reply, &mut Reply),
        gradient: &mut [f32],
    ) {
        let device = self.device.clone().autodiff();
        let mut recording = Recording::new(&device, parameters);
        let out = Out::record(network, &mut recording, batch);
        let reply = out.reply();
        let mut by = Reply {
            field: vec![0.0; reply.field.len()],
            heads: vec![0.0; reply.heads.len()],
            derivative: vec![0.0; reply.derivative.len()],
            head_derivative: vec![0.0; reply.head_derivative.len()],
        };
        loss(&reply, &mut by);
        recording.add_gradient(&out.contracted(&by), gradient);
    }
}
