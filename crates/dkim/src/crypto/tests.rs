//! Both backends under the same tests.

use super::*;
use crate::record::KeyType;
