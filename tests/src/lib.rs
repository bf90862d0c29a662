//! What users see, tested.
