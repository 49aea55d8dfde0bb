// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/guest.h"

#include <stdlib.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "hosted/files.h"
#include "launch/image.h"
#include "launch/image_plan.h"
#include "svsm/linux/fake_kernel.h"
#include "tests/hostile/seeded_random.h"
#include "verifier/ossl/ossl.h"
#include "verifier/testing/evidence_maker.h"

namespace hostile {
namespace {

constexpr char kImage[] = "svsm/forelock-svsm.elf";
constexpr size_t kMaxImage = 16 << 20;
constexpr uint64_t kSeed = 20261122;

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  ADD_FAILURE() << value.status();
  abort();
}

// TSC ticks are instructions, so a deadline of a second is 100 M of them, or
// 2000 turns of a guest that waits.
proto::Config PlainConfig() {
  proto::Config config;
  config.platform = proto::Platform::kSnp;
  config.tsc_khz = proto::kMinTscKhz;
  config.proxy_deadline = base::Milliseconds{1000};
  config.verifier_deadline = base::Milliseconds{4000};
  config.secure_processor_deadline = base::Milliseconds{1000};
  config.boot_deadline = base::Milliseconds{4000};
  config.acpi = proto::Acpi::kNone;
  proto::Resource resource;
  resource.kind = proto::ResourceKind::kLuks2;
  resource.max_size = 64;
  proto::Pin pin{};
  const bool made =
      config.vm.Assign(kVm) && config.verifier_endpoint.Assign("verifier") &&
      resource.name.Assign(kSecretName) && resource.place.Assign("root") &&
      config.resources.Add(resource) &&
      verifier::ossl::FromHex(TheOwner().Pin().substr(sizeof("sha256:") - 1),
                              pin) &&
      config.verifier_pins.Add(pin);
  if (!made) abort();
  return config;
}

}  // namespace

Guest::Guest(const Changes& changes)
    : kernel_(svsm::FakeKernel()),
      initrd_(70'000),
      command_line_("console=ttyS0 panic=-1") {
  SeededRandom(kSeed).Fill(initrd_);
  std::vector<uint8_t> file = OrDie(hosted::ReadInput(kImage, kMaxImage));
  symbols_ = OrDie(SymbolTable::FromElf(file));
  proto::Config config = PlainConfig();
  if (changes.config) changes.config(config);
  const absl::Status configured =
      launch::ConfigureImage(file, config, launch::Reconfigure::kAllow);
  if (!configured.ok()) OrDie(absl::StatusOr<int>(configured));
  plan_ = OrDie(launch::PlanOfImage(file));
  measurement_ = launch::MeasurePlan(plan_);
  if (changes.plan) changes.plan(plan_);
}

void Guest::Accept() const {
  using verifier::ossl::AsBytes;
  using verifier::ossl::Sha384;
  TheOwner().SetPolicy({.measurement = measurement_,
                        .kernel = Sha384::Of(kernel_),
                        .initrd = Sha384::Of(initrd_),
                        .command_line = Sha384::Of(AsBytes(command_line_))});
}

void SeedGuest(uint64_t number) { SeedOpenssl(kSeed + 1 + number); }

Owner& TheOwner() {
  static Owner* const owner = [] {
    SeedOpenssl(kSeed);
    return new Owner;
  }();
  return *owner;
}

const Guest& PlainGuest() {
  static const Guest* const guest = new Guest;
  return *guest;
}

}  // namespace hostile
