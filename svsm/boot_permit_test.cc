// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot_permit.h"

#include <type_traits>

#include "gtest/gtest.h"

namespace svsm {
namespace {

TEST(BootPermit, CannotBeMadeElsewhere) {
  static_assert(!std::is_default_constructible_v<BootPermit>);
  static_assert(!std::is_aggregate_v<BootPermit>);
  static_assert(!std::is_copy_constructible_v<BootPermit>);
  static_assert(!std::is_copy_assignable_v<BootPermit>);
  static_assert(!std::is_trivially_copyable_v<BootPermit>);  // std::bit_cast
  static_assert(std::is_nothrow_move_constructible_v<BootPermit>);
}

TEST(BootPermit, NobodyElseSaysWhatThisBootIs) {
  static_assert(!std::is_default_constructible_v<ThisBoot>);
  static_assert(!std::is_aggregate_v<ThisBoot>);
  static_assert(!std::is_trivially_copyable_v<ThisBoot>);  // std::bit_cast
}

}  // namespace
}  // namespace svsm
