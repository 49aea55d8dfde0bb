// SPDX-License-Identifier: Apache-2.0
//
// The part of Asio that is no template (ASIO_SEPARATE_COMPILATION).
#include "asio/impl/src.hpp"
