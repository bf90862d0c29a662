#[model] fn f<const N: usize>(x: Tensor<f23, N>) -> Tensor<> { x }

#[model] fn f<const N: usize>(x: Tensor<banana, N>) -> Tensor<> { x }

#[model] fn f<const N: usize>(x: Tensor<n, 784>, y: Tensor<N>) -> Tensor<> { x }

#[model] fn f<const N: usize>(x: Tensor<N, rows>) -> Tensor<> { x }

#[model] fn f<const N: usize>(x: Tensor<N, f32>) -> Tensor<> { x }

#[model] fn f<const N: usize>(x: Tensor<i64, f32, N>) -> Tensor<> { x }

#[model] fn f<const N: usize>(x: Tensor<{ N / 2 }>) -> Tensor<> { x }

#[model] fn f<const N: usize, const M: usize>(x: Tensor<N, M>) -> Tensor<{ N / M }, { N % 2 }, { N / 0 }> { x }

#[model] fn f(x: Tensor<{ 2 - 3 }>) -> Tensor<> { x }

#[model] fn f(x: Tensor<99999999999999999999>) -> Tensor<> { x }

#[model] fn f(x: Tensor<3u8, 'a', { size() }, (A, B)>) -> Tensor<> { x }

#[model] fn f<const N: usize>(x: Tensor<f33, N>, y: Tensor<n2, rows, rows>, z: Tensor<f33>) -> Tensor<f33, rows> { x }
