// SPDX-License-Identifier: Apache-2.0
//
// forelock: what a guest's owner does with images, policies, reports and
// roots. A group of commands is one file that returns its table; add it to the
// list below.
#include <vector>

#include "cli/host/command.h"
#include "cli/image_acpi.h"
#include "cli/image_build.h"
#include "cli/image_commands.h"
#include "cli/image_inspect.h"
#include "cli/image_measure.h"
#include "cli/image_qemu.h"
#include "cli/image_rom.h"
#include "cli/image_sign.h"
#include "cli/policy_commands.h"
#include "cli/report_commands.h"
#include "cli/roots/prepare_command.h"
#include "cli/roots/roots_commands.h"
#include "cli/vectors_commands.h"
#include "hosted/arguments.h"

int main(int argc, char** argv) {
  std::vector<hosted::Command> commands;
  for (const auto group :
       {cli::ImageCommands(), cli::ImageAcpiCommands(),
        cli::ImageBuildCommands(), cli::ImageInspectCommands(),
        cli::ImageMeasureCommands(), cli::ImageQemuCommands(),
        cli::ImageRomCommands(), cli::ImageSignCommands(), cli::HostCommands(),
        cli::PolicyCommands(), cli::ReportCommands(), cli::RootsCommands(),
        cli::PrepareCommands(), cli::VectorsCommands()}) {
    commands.insert(commands.end(), group.begin(), group.end());
  }
  return hosted::Run(
      {.name = "forelock",
       .summary = "forelock: guest images, policies, attestation "
                  "reports, and what they "
                  "prove",
       .commands = commands},
      argc, argv);
}
