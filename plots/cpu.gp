# what: CPU time by who used it: the workload in user mode and in the kernel, and kernel threads by name
# needs: completed runs; kernel threads: the sampler cputime
# y: CPU time
# height: 1.6
# legend: boxes
# part: user = user
# part: kernel = system
# part: k* = cpu.k*
# part: migration* = cpu.migration*
# part: oom_reaper* = cpu.oom_reaper*
# part: demeter* = cpu.demeter*
# data parts: parts common
eval stacked
