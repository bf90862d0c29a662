//! What all optimizers have: hyper-parameters, moments of the form of the parameters, a count of steps.

/// The type behind a name, which is named for the repetition alone.
macro_rules! typed {
    ($name:ident $ty:ty) => {
        $ty
    };
}

/// A struct of hyper-parameters and moments, in the order that `kiln_ir`'s rule of that name has.
macro_rules! optimizer {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$field_doc:meta])* $vis:vis $number:ident = $default:expr;)* }
        moments { $($moment:ident = $torch:literal;)* }
        defaults = $defaults:literal;
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name<P> {
            /// Learning rate.
            pub lr: f64,
            $($(#[$field_doc])* $vis $number: f64,)*
            $($moment: P,)*
            step: i64,
        }

        impl<P: $crate::Params> $name<P> {
            #[doc = $defaults]
            pub fn new(params: &P, lr: f64) -> Self {
                $name { lr, $($number: $default,)* $($moment: params.zeros_like(),)* step: 0 }
            }

            /// The number of steps taken.
            pub fn steps(&self) -> i64 {
                self.step
            }
        }

        impl<P> $name<P> {
            /// Every field in the order in which compiled models know them.
            #[doc(hidden)]
            #[allow(clippy::type_complexity)]
            pub fn __kiln_fields(
                &self,
            ) -> (&f64, $($crate::optim::define::typed!($number &f64),)* $($crate::optim::define::typed!($moment &P),)* &i64) {
                (&self.lr, $(&self.$number,)* $(&self.$moment,)* &self.step)
            }

            /// The same to write to.
            #[doc(hidden)]
            #[allow(clippy::type_complexity)]
            pub fn __kiln_fields_mut(
                &mut self,
            ) -> (
                &mut f64,
                $($crate::optim::define::typed!($number &mut f64),)*
                $($crate::optim::define::typed!($moment &mut P),)*
                &mut i64,
            ) {
                (&mut self.lr, $(&mut self.$number,)* $(&mut self.$moment,)* &mut self.step)
            }
        }

        impl<P: $crate::Params> $crate::optim::Optimizer for $name<P> {
            fn numbers(&self) -> Vec<(&'static str, $crate::optim::Number)> {
                use $crate::optim::Number::{F64, I64};
                vec![
                    ("lr", F64(self.lr)),
                    $((stringify!($number), F64(self.$number)),)*
                    ("step", I64(self.step)),
                ]
            }

            fn set_numbers(&mut self, numbers: &[$crate::optim::Number]) {
                let mut given = numbers.iter();
                for number in [&mut self.lr, $(&mut self.$number),*] {
                    if let Some($crate::optim::Number::F64(x)) = given.next() {
                        *number = *x;
                    }
                }
                if let Some($crate::optim::Number::I64(step)) = given.next() {
                    self.step = *step;
                }
            }

            fn moments(&self) -> Vec<$crate::Leaf<'_>> {
                $crate::optim::leaves(&[$(($torch, &self.$moment)),*])
            }

            fn moments_mut(&mut self) -> Vec<$crate::LeafMut<'_>> {
                $crate::optim::leaves_mut(vec![$(($torch, &mut self.$moment)),*])
            }
        }
    };
}

pub(super) use {optimizer, typed};
