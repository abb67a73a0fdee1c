// Attaches the floor programs and runs a command meanwhile: floor OBJECT empty|clock COMMAND [ARG...]
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_object *obj = argc > 3 ? bpf_object__open(argv[1]) : NULL;
	struct bpf_program *p;
	int status = 1;

	if (!obj)
		return fprintf(stderr, "usage: floor OBJECT empty|clock COMMAND [ARG...]\n"), 2;
	bpf_object__for_each_program(p, obj)
	    bpf_program__set_autoload(p, !strncmp(bpf_program__name(p), argv[2], strlen(argv[2])));
	if (bpf_object__load(obj))
		return fprintf(stderr, "floor: can't load\n"), 2;
	bpf_object__for_each_program(
	    p, obj) if (bpf_program__autoload(p) &&
			!bpf_program__attach(p)) return fprintf(stderr, "floor: can't attach\n"),
	    2;
	if (fork() == 0) {
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	wait(&status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
