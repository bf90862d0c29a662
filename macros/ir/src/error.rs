//! What can be wrong with an operation's arguments. All wording of shape errors stands in this file.
