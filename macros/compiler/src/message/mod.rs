//! All wording of the front end, in one table, and the search for the name that was meant.

use kiln_ir::{DType, surface};

/// Rows of the table: a function of what the message names, and its text.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),*) = $text:literal $(, $extra:expr)*;)*) => {
        $($(#[$doc])* pub(crate) fn $name($($arg: &str),*) -> String { format!($text $(, $extra)*) })*
    };
}

pub(crate) mod body;

/// `, did you mean …?`, or else all that there is.
fn hint(name: &str, known: &[&str]) -> String {
    match (nearest(name, known), known) {
        (Some(near), _) => format!("; did you mean `{near}`?"),
        (None, []) => String::new(),
        (None, _) => format!("; there is {}", list(known)),
    }
}

/// `; did you mean …?`, if there is something near.
fn nearest_hint(near: Option<&str>) -> String {
    near.map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

fn list(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

/// The known name that is likely meant.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    surface::nearest(name, known.iter().copied())
}

messages! {
    // Dims.
    dim_syntax() = "a dim is a literal, a `const`, a const generic, or `{{ … }}` over those with `+`, `-`, `*` and `/`";
    dim_operator(op) = "`{op}` can't be used in a dim: only `+`, `-`, `*` and `/`";
    dim_divisor() = "a dim is divided by a whole number above 0, which stands there as a literal";
    dim_too_large() = "this dim is too large";
    dim_negative(value) = "a dim can't be negative, and this is {value}";
    dim_suffix(suffix) = "a dim is a `usize`, not a `{suffix}`";
    dim_is_dtype(name) = "`{name}` is an element type and comes first: `Tensor<{name}, …>`";
    // Tensor types.
    tensor_dtype_again(name) = "the element type is given twice; `{name}` stands where a dim should";
    not_a_tensor() = "expected `Tensor<[dtype,] dims…>`";
    // Generics.
    generic_type(name, attr) = "`#[{attr}]` can't compile the type parameter `{name}`: \
        sizes may be generic (`const {name}: usize`), types may not";
    generic_lifetime(name, attr) = "`#[{attr}]` needs no lifetimes: remove `{name}`";
    generic_const(name, ty, attr) = "`{name}` is a dim, so it is a `usize`, not `{ty}`{}", match attr {
        "params" => String::new(),
        _ => format!("; what a call chooses is an argument: `{}: {ty}`", name.to_lowercase()),
    };
    generic_default(name, attr) = "a default for `{name}` can't be compiled: {}", match attr {
        "params" => "it is a whole number, such as `1`",
        _ => "remove it",
    };
    where_clause(attr) = "`#[{attr}]` can't compile a `where` clause: write a dim as `{{ … }}` where it is used, \
        shapes are checked anyway";
    // Params.
    params_wants_struct(what) = "`#[params]` goes on a struct with named fields, not on {what}";
    params_tuple_struct() = "the fields of params need names, which are the names of the weights: \
        `struct Name {{ weight: Tensor<…> }}`";
    leaf_dtype(name) = "a leaf of params is `f32`, `bf16` or `f16`, not `{name}`";
    leaf_type(ty) = "`{ty}` can't be a field of params: a field is a `Tensor<…>`, \
        another `#[params]` struct, or an array of those structs";
    leaf_number(ty) = "`{ty}` can't be a field of params: a number that is a weight is a `Tensor<>`, \
        a size is a `const` generic, a setting is an argument of the model";
    leaf_vec(ty) = "`{ty}` can't be a field of params: how many there are must be known while compiling, \
        so write an array, `[Block; 12]`";
    leaf_array() = "an array of tensors can't be a field of params: \
        give the tensor one dim more, or put it in a `#[params]` struct and make an array of those";
    leaf_only(attr) = "`#[{attr}]` goes on a tensor; this field brings its own";
    init_empty() = "name an initializer: `#[init(normal(0.0, 0.02))]`";
    buffer_args() = "`#[buffer]` takes no arguments";
    name_text() = "write the name as a text: `#[name(\"0\")]`";
    name_number() = "a number in braces is that of the first layer of an array, whose layers count from it: `#[name(\"*_l{{1}}\")]`";
    name_star() = "a `*` stands for the names within a layer, once: `#[name(\"*_l0\")]`, and a tensor has none within";
    name_count(names, layers) = "{names} names for {layers}: give one, or one for each layer of an array";
    attribute_twice(name) = "`#[{name}]` is given twice";
    // Options.
    option_twice(name) = "option `{name}` is given twice";
    option_syntax() = "an option is a name, `grad(x)`, or a bound `N <= 32`";
    option_no_value(name) = "option `{name}` takes no value";
    option_grad() = "name the arguments to differentiate: `grad(x)`";
    option_crate() = "say how this crate names kiln: `crate = k`";
    option_forward() = "name the model: `forward = linear`";
    bound_zero(name) = "the bound of `{name}` must be at least 1";
    bound_literal(name) = "the bound of `{name}` must be a literal: `{name} <= 32`";
    // Signatures.
    model_wants_fn(what) = "`#[model]` goes on a function, not on {what}";
    fn_qualifier(what) = "a model can't be `{what}`: it becomes a plain function; remove `{what}`";
    fn_variadic() = "a model takes a fixed number of arguments";
    fn_self() = "a model is a free function: write `net: &Name` in place of `self`, \
        and name the model in `#[params(forward = …)]` to call it as a method";
    arg_pattern() = "an argument of a model needs a name; take it apart in the body";
    arg_tensor_ref() = "a tensor is passed by value: remove the `&`; \
        it may still be used any number of times";
    arg_params_value(ty) = "params are passed by reference: `&{ty}`";
    arg_number(ty) = "a model can't take a `{ty}`: write `Tensor<{ty}>` for a value that changes from call to call, \
        a `const` for one that doesn't";
    arg_part(ty) = "a tuple or array that a model takes holds tensors, not `{ty}`: pass it as an argument of its own";
    arg_type(ty) = "a model can't take `{ty}`: an argument is a tensor, a tuple or array of tensors, `&P` or `&mut P` of params, \
        `&mut Tensor<…>`, or a `bool`, `usize`, `i64`, `f32`, `f64` or enum known while compiling";
    array_of_any(free) = "an array of `{free}` tensors: how many there are must be known while compiling, but in a building \
        block, `#[model(inline)]`, which is compiled for each call";
    any_shape() = "`_` stands for any shape, which only a building block takes, `#[model(inline)]`: write the dims";
    result_missing(name) = "`{name}` returns nothing and changes nothing: a model returns tensors or params, or takes `&mut` state";
    result_type(ty) = "a model can't return `{ty}`: it returns a tensor, params, or a tuple or array of tensors";
    recursive(name) = "`{name}` calls itself: a model becomes a graph without end; repeat with `for`";
    recursive_by(name, callee) = "`{name}` calls itself by way of `{callee}`: a model becomes a graph without end; \
        repeat with `for`";
    dollar() = "a model can't hold a `$`";
    const_differs(name) = "two constants named `{name}` reach one model, and their values differ: rename one";
    dims_differ(model, left, right) = "`{model}` needs `{left}` and `{right}` to be equal";
    freeze_doc(name) = "Computes once what hangs on the parameters of `{name}` alone; `run` of the result does the rest.";
    into_frozen_doc(name) = "`freeze` of params that are given away: each tensor is let go of as soon as its frozen form is made, so that nothing of `{name}` is held twice.";
    frozen_doc(name) = "The model `{name}` with its parameters frozen.";
    frozen_run_doc(name) = "`{name}` of these arguments, with the frozen parameters.";
    derivative_doc(name) = "The compiled `{name}` of this model.";
    namespace_doc(name) = "What belongs to the model [`{name}`](fn@{name}): derivatives, figures and the plan.";
    // Eager forms.
    eager_doc() = "The model operation by operation, on tensors outside of models: to look at values and to debug. \
        An argument that doesn't fit makes a result that stands for the error, as `kiln::autograd` tells.";
    forward_doc(path) = "The model `{path}`, operation by operation, on tensors outside of models.";
    no_eager(name, what) = "`{name}` can't run eagerly, because of {what}; it is compiled all the same";
    faulty_eager(name) = "`{name}` can't run: it has a fault";
    dim_unreadable(name) = "`{name}` can't be read from the arguments: no tensor or params type has it as a dim";
}

pub(crate) fn unknown_dtype(name: &str) -> String {
    let known = DType::ALL.map(DType::name);
    format!("unknown element type `{name}`{}", hint(name, &known))
}

pub(crate) fn undeclared_dim(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("`{name}` isn't a dim; did you mean `{near}`?"),
        None => format!("`{name}` isn't declared as a dim: declare `const {}: usize`", name.to_uppercase()),
    }
}

pub(crate) fn bound_not_free(name: &str, known: &[&str]) -> String {
    format!(
        "`{name}` isn't a free dim, so it can't be bounded{}",
        match known {
            [] => format!("; a free dim is a generic, `const {name}: usize`"),
            _ => hint(name, known),
        }
    )
}

pub(crate) fn unknown_option(name: &str, attr: &str, known: &[&str]) -> String {
    format!("unknown option `{name}` of `#[{attr}]`{}", hint(name, known))
}

pub(crate) fn grad_unknown(name: &str, known: &[&str]) -> String {
    format!("`grad({name})`: there is no such argument{}", hint(name, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(nearest("f23", &["f64", "f32"]), Some("f32"));
        assert_eq!(nearest("n", &["M", "N"]), Some("N"));
        assert_eq!(nearest("inlin", &["exact", "inline"]), Some("inline"));
        assert_eq!(nearest("banana", &["f64", "f32"]), None);
    }
}
