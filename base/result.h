// SPDX-License-Identifier: Apache-2.0
//
// Status and Result<T>: how every function that guest and host share reports
// failure.
//
// Built for code with no exceptions, no heap and no C++ runtime. A Status is
// one 32-bit word, so it travels in a register and can be printed by the panic
// path.
#pragma once

#include <stdint.h>

#include <optional>
#include <type_traits>
#include <utility>

namespace base {

// What the caller should do about a failure. Values equal absl::StatusCode, so
// host code converts with a cast.
enum class Code : uint8_t {
  kOk = 0,
  kInvalidArgument = 3,     // The caller broke the contract; do not retry.
  kDeadlineExceeded = 4,    // The deadline passed; the work may be half done.
  kNotFound = 5,            // The thing named does not exist.
  kPermissionDenied = 7,    // Well formed and authentic, but policy says no.
  kResourceExhausted = 8,   // A fixed-size buffer is too small for the input.
  kFailedPrecondition = 9,  // Right call, wrong state (for example: key wiped).
  kInternal = 13,           // A bug in this repository.
  kUnavailable = 14,        // The peer is busy or gone; retrying may help.
  kDataLoss = 15,           // Bytes from outside are malformed.
  kUnauthenticated = 16,    // Bytes from outside failed authentication.
};

// Where it failed: a two-letter module tag and a number that is never reused.
// Each module lists its reasons in its reasons.h (see base/reasons.h);
// docs/errors.md is generated from these lists.
struct Reason {
  uint32_t bits : 24 = 0;
  constexpr Reason() = default;
  consteval Reason(char tag0, char tag1, uint8_t number)
      : bits((uint32_t{static_cast<uint8_t>(tag0)} << 16) |
             (uint32_t{static_cast<uint8_t>(tag1)} << 8) | number) {}
  static constexpr Reason FromBits(uint32_t value) {
    Reason reason;
    reason.bits = value & 0xFFFFFF;
    return reason;
  }

  constexpr char tag0() const { return static_cast<char>((bits >> 16) & 0xFF); }
  constexpr char tag1() const { return static_cast<char>((bits >> 8) & 0xFF); }
  constexpr uint8_t number() const { return static_cast<uint8_t>(bits & 0xFF); }

  friend constexpr bool operator==(Reason a, Reason b) {
    return a.bits == b.bits;
  }
};

class [[nodiscard]] Status {
 public:
  constexpr Status() = default;  // OK.
  constexpr Status(Code code, Reason reason)
      : bits_((uint32_t{reason.bits} << 8) | static_cast<uint32_t>(code)) {}

  constexpr bool ok() const { return code() == Code::kOk; }
  constexpr Code code() const { return static_cast<Code>(bits_ & 0xFF); }
  constexpr Reason reason() const { return Reason::FromBits(bits_ >> 8); }
  // Code and reason in one word, for logs and for the exit code of a panic.
  constexpr uint32_t raw() const { return bits_; }

  friend constexpr bool operator==(Status, Status) = default;

 private:
  uint32_t bits_ = 0;
};
static_assert(sizeof(Status) == 4 && std::is_trivially_copyable_v<Status>);

// A T, or the Status that says why there is none. Never holds an OK status.
// Reading the value of a failed Result traps: that is a bug, not a condition.
template <typename T>
class [[nodiscard]] Result {
  static_assert(!std::is_reference_v<T> && !std::is_same_v<T, Status>);
  static_assert(std::is_nothrow_move_constructible_v<T>);

 public:
  // Implicit, so that `return status;` and `return value;` both work.
  constexpr Result(Status error) : status_(error) {
    if (error.ok()) __builtin_trap();
  }
  constexpr Result(T value) : value_(std::move(value)) {}

  constexpr bool ok() const { return value_.has_value(); }
  constexpr Status status() const { return status_; }

  constexpr T& operator*() & { return Checked(); }
  constexpr const T& operator*() const& {
    return const_cast<Result*>(this)->Checked();
  }
  constexpr T&& operator*() && { return std::move(Checked()); }
  constexpr T* operator->() { return &Checked(); }
  constexpr const T* operator->() const {
    return &const_cast<Result*>(this)->Checked();
  }

 private:
  constexpr T& Checked() {
    if (!ok()) __builtin_trap();
    return *value_;
  }
  std::optional<T> value_;
  Status status_;
};

constexpr Status StatusOf(Status s) { return s; }
template <typename T>
constexpr Status StatusOf(const Result<T>& r) {
  return r.status();
}

}  // namespace base

// BASE_TRY(expr);  returns early if expr (a Status or a Result) failed.
#define BASE_TRY(expr)                                                    \
  do {                                                                    \
    if (const auto base_try_ = ::base::StatusOf(expr); !base_try_.ok()) { \
      return base_try_;                                                   \
    }                                                                     \
  } while (false)

// BASE_TRY_ASSIGN(auto x, expr);  as above, and on success moves the value out.
#define BASE_TRY_ASSIGN(lhs, expr) BASE_TRY_ASSIGN_2_(lhs, expr, __COUNTER__)
#define BASE_TRY_ASSIGN_2_(lhs, expr, id) BASE_TRY_ASSIGN_3_(lhs, expr, id)
#define BASE_TRY_ASSIGN_3_(lhs, expr, id)                       \
  auto base_result_##id = (expr);                               \
  if (!base_result_##id.ok()) return base_result_##id.status(); \
  lhs = *std::move(base_result_##id)
