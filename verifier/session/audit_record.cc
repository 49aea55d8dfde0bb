// SPDX-License-Identifier: Apache-2.0
#include "verifier/session/audit_record.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "verifier/session/report_data.h"

namespace verifier {
namespace {

using Json = nlohmann::ordered_json;

std::string Text(base::Bytes bytes) {
  return std::string(bytes.begin(), bytes.end());
}

Json FileJson(const proto::BootFile& file) {
  return {{"length", file.length},
          {"sha384", absl::StrCat("sha384:", ossl::Hex(file.sha384))}};
}

Json BootJson(const proto::BootManifest& boot) {
  Json json = {{"kernel", FileJson(boot.kernel)},
               {"initrd", FileJson(boot.initrd)},
               {"command_line", FileJson(boot.command_line)}};
  if (boot.acpi.empty()) {
    json["acpi"] = "none";
    return json;
  }
  json["acpi"] = absl::StrCat("sha384:", ossl::Hex(AcpiDigest(boot)));
  for (const proto::BootFile& file : boot.acpi) {
    Json entry = FileJson(file);
    entry["name"] = Text(file.name);
    json["acpi_files"].push_back(std::move(entry));
  }
  return json;
}

Json ReportJson(const sev::UnverifiedReport& report) {
  Json json = {
      {"measurement", ossl::Hex(report.measurement())},
      {"version", report.version()},
      {"guest_policy", absl::StrFormat("%#x", report.policy())},
      {"guest_svn", report.guest_svn()},
      {"vmpl", report.vmpl()},
      {"reported_tcb", absl::StrFormat("%016x", report.reported_tcb())},
      {"chip_id", ossl::Hex(report.chip_id())},
      {"report_id", ossl::Hex(report.report_id())},
      {"host_data", ossl::Hex(report.host_data())}};
  if (const auto cpuid = report.cpuid()) {
    json["cpuid"] =
        absl::StrFormat("family %02xh model %02xh stepping %xh", cpuid->family,
                        cpuid->model, cpuid->stepping);
  }
  return json;
}

// The value as text; "" for what is not there or not a scalar.
std::string Scalar(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return "";
  if (found->is_string()) return found->get<std::string>();
  return found->is_number() ? found->dump() : "";
}

void Line(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) {
    out += absl::StrFormat("%-13s %s\n", name, Printable(value));
  }
}

void AppendReasons(const Json& detail, std::string& out) {
  const auto findings = detail.find("findings");
  if (findings == detail.end() || !findings->is_array()) return;
  for (const Json& finding : *findings) {
    const std::string seen = Scalar(finding, "detail");
    Line(out, "reason",
         absl::StrCat(Scalar(finding, "reason"), " ", Scalar(finding, "what"),
                      seen.empty() ? "" : ": ", seen));
    Line(out, "", Scalar(finding, "advice"));
  }
}

void AppendFile(const Json& boot, const char* key, std::string_view name,
                std::string& out) {
  const auto file = boot.find(key);
  if (file == boot.end()) return;
  Line(out, name,
       absl::StrCat(Scalar(*file, "sha384"), " (", Scalar(*file, "length"),
                    " bytes)"));
}

void AppendSeen(const Json& detail, std::string& out) {
  if (const auto report = detail.find("report"); report != detail.end()) {
    Line(out, "measurement", Scalar(*report, "measurement"));
  }
  if (const auto boot = detail.find("boot"); boot != detail.end()) {
    AppendFile(*boot, "kernel", "kernel", out);
    AppendFile(*boot, "initrd", "initrd", out);
    AppendFile(*boot, "command_line", "command_line", out);
    Line(out, "acpi", Scalar(*boot, "acpi"));
    if (const auto files = boot->find("acpi_files"); files != boot->end()) {
      for (const Json& file : *files) {
        Line(out, "",
             absl::StrCat(Scalar(file, "name"), " ", Scalar(file, "sha384"),
                          " (", Scalar(file, "length"), " bytes)"));
      }
    }
  }
  Line(out, "root", Scalar(detail, "root"));
  if (const auto report = detail.find("report"); report != detail.end()) {
    for (const char* key : {"chip_id", "cpuid", "reported_tcb", "guest_policy",
                            "guest_svn", "vmpl", "host_data", "report_id"}) {
      Line(out, key, Scalar(*report, key));
    }
  }
}

}  // namespace

std::string ToJson(const AuditDetail& detail) {
  Json json = {{"peer", detail.peer}};
  for (const AuditDetail::Asked& asked : detail.asked) {
    json["asked"].push_back({{"path", asked.path}, {"policy", asked.policy}});
  }
  for (const Finding& finding : detail.findings) {
    const ReasonText text = TextOf(finding.reason);
    json["findings"].push_back({{"reason", ReasonCode(finding.reason)},
                                {"what", std::string(text.what)},
                                {"advice", std::string(text.advice)},
                                {"detail", finding.detail}});
  }
  if (detail.report) json["report"] = ReportJson(*detail.report);
  if (detail.root) {
    json["root"] = absl::StrCat("sha256:", ossl::Hex(*detail.root));
  }
  if (detail.boot) json["boot"] = BootJson(*detail.boot);
  // Replaces what is not UTF-8 instead of throwing; nothing here should be.
  return json.dump(-1, ' ', /*ensure_ascii=*/true,
                   Json::error_handler_t::replace);
}

std::string ToText(const AuditEntry& entry) {
  std::string out;
  Line(out, "decision", ossl::Hex(entry.id));
  Line(out, "time", FormatTime(entry.time_ms));
  Line(out, "outcome", entry.outcome);
  if (entry.emulated) {
    Line(out, "class",
         "EMULATED: a test root signed this evidence; it proves nothing about "
         "hardware");
  }
  Line(out, "vm", entry.vm);
  const Json detail = Json::parse(entry.detail, nullptr,
                                  /*allow_exceptions=*/false);
  if (!detail.is_object()) {
    Line(out, "detail", "damaged");
    return out;
  }
  Line(out, "peer", Scalar(detail, "peer"));
  if (const auto asked = detail.find("asked"); asked != detail.end()) {
    for (const Json& path : *asked) {
      const std::string policy = Scalar(path, "policy");
      Line(out, "asked for",
           absl::StrCat(Scalar(path, "path"),
                        policy.empty() ? ", which no policy governs"
                                       : absl::StrCat(", policy ", policy)));
    }
  }
  AppendReasons(detail, out);
  if (entry.boot_counter != 0) {
    Line(out, "boot", absl::StrCat("number ", entry.boot_counter));
  }
  Line(out, "receipt", entry.receipt.empty() ? "none" : entry.receipt);
  AppendSeen(detail, out);
  return out;
}

std::string FormatTime(int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(time_ms),
                          absl::UTCTimeZone());
}

}  // namespace verifier
