// SPDX-License-Identifier: Apache-2.0
//
// The part of Asio's TLS streams that is no template.
#include "asio/ssl/impl/src.hpp"
