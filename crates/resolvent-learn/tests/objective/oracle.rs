//! An engine that knows the answer: what the network should say at a point, whatever the parameters, and a record of what the
//! loss then wants changed. At the minimiser that is nothing, on average at every point.

use resolvent_learn::engine::{Batch, Engine, Reply};
use resolvent_learn::network::Network;
use std::sync::Mutex;

/// `answer` gets what the network would, a row of points and one of features, and gives field, heads and derivative.
pub(crate) struct Oracle<F> {
    answer: F,
    wanted: Mutex<Vec<Wanted>>,
}

/// The gradient of the loss by what the network said at one point.
pub(crate) struct Wanted {
    pub(crate) input: Vec<f64>,
    pub(crate) features: Vec<f64>,
    pub(crate) direction: Vec<f32>,
    pub(crate) field: Vec<f32>,
    pub(crate) heads: Vec<f32>,
    pub(crate) derivative: Vec<f32>,
}

fn widen(row: &[f32]) -> Vec<f64> {
    row.iter().map(|v| f64::from(*v)).collect()
}

fn rows(values: &[f32], width: usize, row: usize) -> &[f32] {
    if values.is_empty() { values } else { &values[row * width..(row + 1) * width] }
}

impl<F: Fn(&[f64], &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) + Sync> Oracle<F> {
    pub(crate) fn new(answer: F) -> Self {
        Self { answer, wanted: Mutex::default() }
    }

    /// What has been recorded since it was last asked.
    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        std::mem::take(&mut self.wanted.lock().unwrap())
    }
}

impl<F: Fn(&[f64], &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) + Sync> Engine for Oracle<F> {
    fn evaluate(&self, network: &Network, _parameters: &[f32], batch: &Batch) -> Reply {
        let sizes = network.sizes();
        let mut reply = Reply::default();
        for row in 0..batch.n {
            let points = widen(rows(&batch.points, sizes.inputs, row));
            let features = widen(rows(&batch.features, sizes.features, row));
            let (field, heads, derivative) = (self.answer)(&points, &features);
            reply.field.extend(field.iter().map(|v| *v as f32));
            reply.heads.extend(heads.iter().map(|v| *v as f32));
            reply.derivative.extend(derivative.iter().map(|v| *v as f32));
        }
        reply
    }

    fn gradient(
        &self,
        network: &Network,
        parameters: &[f32],
        batch: &Batch,
        loss: &mut dyn FnMut(&Reply, &mut Reply),
        _gradient: &mut [f32],
    ) {
        let sizes = network.sizes();
        let reply = self.evaluate(network, parameters, batch);
        let mut by = Reply {
            field: vec![0.0; reply.field.len()],
            heads: vec![0.0; reply.heads.len()],
            derivative: vec![0.0; reply.derivative.len()],
            ..Reply::default()
        };
        loss(&reply, &mut by);
        let recorded = (0..batch.n).map(|row| Wanted {
            input: widen(rows(&batch.points, sizes.inputs, row)),
            features: widen(rows(&batch.features, sizes.features, row)),
            direction: rows(&batch.directions, sizes.inputs, row).to_vec(),
            field: rows(&by.field, sizes.outputs, row).to_vec(),
            heads: rows(&by.heads, sizes.heads, row).to_vec(),
            derivative: rows(&by.derivative, sizes.outputs, row).to_vec(),
        });
        self.wanted.lock().unwrap().extend(recorded);
    }
}
