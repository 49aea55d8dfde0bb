// SPDX-License-Identifier: Apache-2.0
#include "launch/guest_toml.h"

#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "launch/reasons.h"
#include "launch/toml_table.h"
#include "proto/reasons.h"
#include "third_party/toml.h"

namespace launch {
namespace {

constexpr std::string_view kSha256Prefix = "sha256:";
constexpr std::string_view kSha384Prefix = "sha384:";

// The table under `key`, if there is one.
const toml::table* SubTable(Table& table, std::string_view key) {
  const toml::node* node = table.Get(key, Presence::kOptional);
  if (node == nullptr) return nullptr;
  if (node->as_table() == nullptr) table.Bad(*node, key, "wants a table");
  return node->as_table();
}

void ReadPins(Table& root, proto::Config& config) {
  constexpr char kKey[] = "verifier_pins";
  const toml::node* node = root.Get(kKey, Presence::kRequired);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr || list->empty()) {
    root.Bad(*node, kKey, "wants a list of 1 to 4 pins");
    return;
  }
  for (const toml::node& entry : *list) {
    proto::Pin pin{};
    root.Digest(entry, kKey, kSha256Prefix, pin);
    if (!config.verifier_pins.Add(pin)) {
      root.Bad(entry, kKey, "has more than 4 pins");
      return;
    }
  }
}

proto::Resource ReadResource(const toml::table& in, Errors& errors) {
  Table table(in, "resource.", errors);
  proto::Resource resource;
  table.Fixed("name", resource.name);
  resource.kind =
      table.Choice<proto::ResourceKind>("kind", Presence::kRequired,
                                        {{"luks2", proto::ResourceKind::kLuks2},
                                         {"file", proto::ResourceKind::kFile}});
  resource.max_size =
      table.Number("max_size", Presence::kOptional, proto::kMaxSecretSize);
  switch (resource.kind) {
    case proto::ResourceKind::kLuks2:
      table.Fixed("volume", resource.place);
      break;
    case proto::ResourceKind::kFile:
      table.Fixed("path", resource.place);
      break;
  }
  table.RefuseOtherKeys();
  return resource;
}

void ReadResources(Table& root, Errors& errors, proto::Config& config) {
  constexpr char kKey[] = "resource";
  const toml::node* node = root.Get(kKey, Presence::kOptional);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    root.Bad(*node, kKey, "wants [[resource]] tables");
    return;
  }
  for (const toml::node& entry : *list) {
    const toml::table* in = entry.as_table();
    if (in == nullptr) {
      root.Bad(entry, kKey, "wants [[resource]] tables");
      return;
    }
    if (!config.resources.Add(ReadResource(*in, errors))) {
      root.Bad(entry, kKey, "stands more than 8 times");
      return;
    }
  }
}

void ReadChannel(Table& root, Errors& errors, proto::Config& config) {
  const toml::table* in = SubTable(root, "channel");
  if (in == nullptr) return;
  Table table(*in, "channel.", errors);
  config.transport = table.Choice<proto::Transport>(
      "transport", Presence::kRequired, {{"page", proto::Transport::kPage}});
  const uint32_t port =
      table.Number("port", Presence::kOptional, proto::kDefaultChannelPort);
  if (port > UINT16_MAX) {
    table.Bad(*in->get("port"), "port", "wants an I/O port, 0x100 to 0xffff");
  }
  config.channel_port = static_cast<uint16_t>(port);
  table.RefuseOtherKeys();
}

void ReadDeadlines(Table& root, Errors& errors, proto::Config& config) {
  const toml::table* in = SubTable(root, "deadlines");
  if (in == nullptr) return;
  Table table(*in, "deadlines.", errors);
  const auto read = [&](std::string_view key, base::Milliseconds& deadline) {
    const uint32_t ms = table.Number(key, Presence::kOptional, 0);
    if (ms != 0) deadline = base::Milliseconds{ms};
  };
  read("proxy_ms", config.proxy_deadline);
  read("verifier_ms", config.verifier_deadline);
  read("secure_processor_ms", config.secure_processor_deadline);
  read("boot_ms", config.boot_deadline);
  table.RefuseOtherKeys();
}

void ReadExpectedBoot(Table& root, Errors& errors, proto::Config& config) {
  const toml::table* in = SubTable(root, "expected_boot");
  if (in == nullptr) return;
  Table table(*in, "expected_boot.", errors);
  proto::ExpectedBoot boot;
  const auto read = [&](std::string_view key, Presence presence,
                        proto::BootDigest& digest) {
    const toml::node* node = table.Get(key, presence);
    if (node != nullptr) table.Digest(*node, key, kSha384Prefix, digest);
  };
  read("kernel", Presence::kRequired, boot.kernel);
  read("initrd", Presence::kRequired, boot.initrd);
  read("command_line", Presence::kRequired, boot.command_line);
  read("acpi",
       config.acpi == proto::Acpi::kFromHost ? Presence::kRequired
                                             : Presence::kOptional,
       boot.acpi);
  table.RefuseOtherKeys();
  config.expected_boot = boot;
}

proto::Config ReadRoot(const toml::table& in, Errors& errors) {
  Table root(in, "", errors);
  proto::Config config;
  const uint32_t version = root.Number("version", Presence::kRequired, 1);
  if (version != 1) root.Bad(*in.get("version"), "version", "wants 1");
  config.platform =
      root.Choice<proto::Platform>("platform", Presence::kRequired,
                                   {{"snp", proto::Platform::kSnp},
                                    {"emulated", proto::Platform::kEmulated}});
  root.Fixed("vm", config.vm);
  root.Fixed("verifier", config.verifier_endpoint);
  ReadPins(root, config);
  config.acpi = root.Choice<proto::Acpi>(
      "acpi", Presence::kRequired,
      {{"none", proto::Acpi::kNone}, {"from-host", proto::Acpi::kFromHost}});
  config.on_failure = root.Choice<proto::OnFailure>(
      "on_failure", Presence::kOptional,
      {{"halt", proto::OnFailure::kHalt},
       {"boot-without-secrets", proto::OnFailure::kBootWithoutSecrets}});
  const uint32_t tsc_khz = root.Number("tsc_khz", Presence::kOptional, 0);
  if (tsc_khz != 0) config.tsc_khz = tsc_khz;
  ReadResources(root, errors, config);
  ReadChannel(root, errors, config);
  ReadDeadlines(root, errors, config);
  ReadExpectedBoot(root, errors, config);
  root.RefuseOtherKeys();
  return config;
}

// Which key a broken rule of proto::CheckConfig() is about.
std::string_view KeyOf(base::Reason reason) {
  struct Row {
    base::Reason reason;
    std::string_view key;
  };
  constexpr Row kRows[] = {
      {proto::kConfigVmName, "vm"},
      {proto::kConfigEndpointName, "verifier"},
      {proto::kConfigPinCount, "verifier_pins"},
      {proto::kConfigPinDuplicate, "verifier_pins"},
      {proto::kConfigResourceCount, "resource"},
      {proto::kConfigResourceName, "resource"},
      {proto::kConfigResourceDuplicate, "resource"},
      {proto::kConfigResourceSize, "resource"},
      {proto::kConfigVolumeName, "resource"},
      {proto::kConfigFilePath, "resource"},
      {proto::kConfigPlaceDuplicate, "resource"},
      {proto::kConfigPort, "channel"},
      {proto::kConfigDeadline, "deadlines"},
      {proto::kConfigExpectedBootIncomplete, "expected_boot"},
      {proto::kConfigExpectedAcpiWithoutAcpi, "expected_boot"},
      {proto::kConfigUnattestedBoot, "on_failure"},
      {proto::kConfigTscFrequency, "tsc_khz"},
  };
  for (const Row& row : kRows) {
    if (row.reason == reason) return row.key;
  }
  return "version";
}

std::string RuleText(base::Reason reason) {
  constexpr base::ReasonRow kRows[] = {FORELOCK_PROTO_REASONS(BASE_REASON_ROW)};
  for (const base::ReasonRow& row : kRows) {
    if (row.reason == reason) return absl::StrCat(row.what, ". ", row.advice);
  }
  return "the configuration breaks a rule";
}

// The first [[resource]] that breaks a rule by itself or with those before it.
const toml::node& ResourceToBlame(const toml::node& list,
                                  const proto::Config& config) {
  proto::Config partial = config;
  partial.resources = {};
  for (size_t i = 0; i < config.resources.size(); ++i) {
    partial.resources.Add(config.resources[i]);
    if (!proto::CheckConfig(partial).ok()) return *list.as_array()->get(i);
  }
  return list;
}

void CheckRules(const toml::table& in, const proto::Config& config,
                Errors& errors) {
  const base::Status status = proto::CheckConfig(config);
  if (status.ok()) return;
  const std::string_view key = KeyOf(status.reason());
  const toml::node* node = in.get(key);
  if (node != nullptr && key == "resource") {
    node = &ResourceToBlame(*node, config);
  }
  errors.Add(status.reason(), node != nullptr ? node->source() : in.source(),
             RuleText(status.reason()));
}

}  // namespace

absl::StatusOr<proto::Config> ParseGuestToml(std::string_view text,
                                             const std::string& file_name) {
  Errors errors(file_name);
  const toml::parse_result parsed = third_party::ParseToml(text);
  if (!parsed) {
    errors.Add(kTomlSyntax, parsed.error().source(),
               parsed.error().description());
    return errors.status();
  }
  const proto::Config config = ReadRoot(parsed.table(), errors);
  if (errors.ok()) CheckRules(parsed.table(), config, errors);
  if (!errors.ok()) return errors.status();
  return config;
}

}  // namespace launch
