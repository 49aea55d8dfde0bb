// SPDX-License-Identifier: Apache-2.0
//
// kToTuple: the completion token that gives a coroutine (error, result...)
// where use_awaitable would throw.
#pragma once

#include "asio/use_awaitable.hpp"

// Debian 12's Asio (1.22) has as_tuple in `experimental` only, Debian 13's
// (1.30) outside only.
#if __has_include("asio/as_tuple.hpp")
#include "asio/as_tuple.hpp"
#else
#include "asio/experimental/as_tuple.hpp"
#endif

namespace host_proxy {

#if __has_include("asio/as_tuple.hpp")
inline constexpr auto kToTuple = asio::as_tuple(asio::use_awaitable);
#else
inline constexpr auto kToTuple =
    asio::experimental::as_tuple(asio::use_awaitable);
#endif

}  // namespace host_proxy
