// SPDX-License-Identifier: Apache-2.0
//
// What libraries without Abseil include; see pch.bzl. Nothing of this
// repository stands here: each change would compile everything again.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
