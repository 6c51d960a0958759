#include "harness/commands.h"

int main(int argc, char** argv) { return ordeal::harness::main_command(argc, argv); }
